// The shape of an IdleReport, the versioned JSON file of `idle`: the cost of idle connections.

import { z } from "zod";
import { documentShape, slopeShape } from "./session-document.ts";

/** The `kind` of every IdleReport. */
export const idleKind = "uws-echo-bench/idle";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const idleVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

/** Measures of a process's memory, the best first: the others change with other processes, or count pages twice. */
export const memoryMeasures = ["anonymous", "pss", "rss"] as const;
export type MemoryMeasure = (typeof memoryMeasures)[number];

const perConnectionSchema = z.strictObject({ bytesPerConnection: z.number(), ...slopeShape });

/** The lowest samples in the second half of a step. Unknown values are null. */
const memorySchema = z.strictObject({
  rssBytes: amount.nullable(),
  /** Pages that processes share count once. */
  pssBytes: amount.nullable(),
  /** The part that is not backed by files. */
  anonymousBytes: amount.nullable(),
  /** Slab and TCP buffers of the whole machine. */
  kernelBytes: amount.nullable(),
});

/** A number of connections that was held. */
const stepSchema = z.strictObject({
  connections: count,
  /** Open at the end. */
  open: count,
  seconds: amount,
  memory: memorySchema,
  serverCpuPercent: amount.nullable(),
  pings: count,
  pongs: count,
  pingP50Us: amount.nullable(),
  pingP99Us: amount.nullable(),
});

export const idleSchema = z.strictObject({
  kind: z.literal(idleKind),
  version: z.literal(idleVersion),
  ...documentShape,
  holdMs: amount,
  connectionsPerSecond: amount,
  /** Null without pings. */
  pingIntervalMs: amount.nullable(),
  /** Null where memory is not known, or there are fewer than four steps. */
  process: perConnectionSchema
    .extend({ source: z.enum(["pid", "metrics"]), measure: z.enum(memoryMeasures) })
    .nullable(),
  /** A connection's share: where both of its ends are on this machine, half of what they use. */
  kernel: perConnectionSchema.nullable(),
  /** How many fit into 1 GiB, process and kernel together; null if either is unknown. */
  connectionsPerGiB: count.nullable(),
  /** CPU time for each ping; null without pings or CPU figures. */
  pingCpu: z.strictObject({ us: z.number(), ...slopeShape }).nullable(),
  before: memorySchema,
  steps: z.array(stepSchema),
  /** After the connections were closed again. `share`: the part of the growth that came back. */
  after: z.strictObject({ memory: memorySchema, share: z.number().nullable() }).nullable(),
  connections: z.strictObject({ opened: count, failed: count, closed: count, reconnected: count }),
  /** Pings without an answer in time. */
  lostPings: count,
  /** Messages that arrived although none were sent. */
  unasked: count,
});

export type IdleReport = z.infer<typeof idleSchema>;
export type IdleStep = z.infer<typeof stepSchema>;
export type Memory = z.infer<typeof memorySchema>;

/** Memory of the process by one measure. */
export function processBytes(memory: Memory, measure: MemoryMeasure): number | null {
  return { anonymous: memory.anonymousBytes, pss: memory.pssBytes, rss: memory.rssBytes }[measure];
}

/** By the best measure that is known. */
export function ownBytes(memory: Memory): number | null {
  return memory.anonymousBytes ?? memory.pssBytes ?? memory.rssBytes;
}
