// The shape of a SlowReport, the versioned JSON file of `slow`: what slow readers do to a server and to others.

import { z } from "zod";
import { latencySchema } from "./schema-figures.ts";
import { documentShape } from "./session-document.ts";

/** The `kind` of every SlowReport. */
export const slowKind = "uws-echo-bench/slow";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const slowVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

/**
 * What the server did with echoes that are not read. `closes`: it ended the connections. `drops`: it dropped messages,
 * more than one for each connection that it ended. `stops-reading`: it took no more messages. `buffers`: it kept them.
 * `absorbed`: they fitted into the kernels' buffers.
 */
export const reactions = ["closes", "drops", "stops-reading", "buffers", "absorbed"] as const;

/** The server in one step. Unknown values are null. */
const serverSchema = z.strictObject({
  /** The highest sample. */
  memoryBytes: amount.nullable(),
  bufferedBytes: amount.nullable(),
  /** TCP buffers of this machine. */
  kernelBytes: amount.nullable(),
  cpuPercent: amount.nullable(),
});

const neighboursSchema = z.strictObject({
  latencyUs: latencySchema.nullable(),
  answered: count,
  lost: count,
  closed: count,
});

const phaseSchema = z.strictObject({ seconds: amount, server: serverSchema, neighbours: neighboursSchema });

export const slowSchema = z.strictObject({
  kind: z.literal(slowKind),
  version: z.literal(slowVersion),
  ...documentShape,
  neighbours: z.strictObject({ connections: count, ratePerSecond: amount, payloadBytes: count }),
  readers: z.strictObject({
    connections: count,
    /** Per reader; 0 for readers that do not read. */
    readBytesPerSecond: amount,
    /** Of all readers together. */
    ratePerSecond: amount,
    payloadBytes: count,
    /** Messages that were sent, and those that could not be sent because the server read no more. */
    sent: count,
    unsent: count,
    /** Payload bytes of the sent messages, and bytes of echoes that were read. */
    sentBytes: amount,
    readBytes: amount,
    /** Connections that the server ended. */
    closed: count,
  }),
  reactions: z.array(z.enum(reactions)),
  /** Dropped messages by the server's metrics; null without them. */
  dropped: count.nullable(),
  /** Growth of this machine's TCP buffers; null if unknown. Covers both ends if both are on this machine. */
  absorbedBytes: amount.nullable(),
  before: phaseSchema,
  during: phaseSchema,
  after: phaseSchema,
});

export type SlowReport = z.infer<typeof slowSchema>;
export type SlowPhase = z.infer<typeof phaseSchema>;
export type Reaction = (typeof reactions)[number];
