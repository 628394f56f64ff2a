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
 * What the server did with echoes that are not read. `closes`: it ended the connections. `drops`: it dropped messages.
 * `stops-reading`: it took no more messages. `buffers`: it kept them. `absorbed`: they fitted into the kernels' buffers.
 */
export const reactions = ["closes", "drops", "stops-reading", "buffers", "absorbed"] as const;

/** The server in one step; unknown is null. */
const serverSchema = z.strictObject({
  /** The highest that was seen. */
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
    /** Each; 0 for readers that read nothing. */
    readBytesPerSecond: amount,
    /** All together. */
    ratePerSecond: amount,
    payloadBytes: count,
    /** Messages that left, and that could not leave since the server took no more. */
    sent: count,
    unsent: count,
    /** Payload of the messages that left, and bytes that were read of the echoes. */
    sentBytes: amount,
    readBytes: amount,
    /** Ended by the server. */
    closed: count,
  }),
  reactions: z.array(z.enum(reactions)),
  /** Messages that the server says it dropped; null when it does not say. */
  dropped: count.nullable(),
  /** Bytes that filled TCP buffers of this machine; null when they cannot be read. Of both ends where both are here. */
  absorbedBytes: amount.nullable(),
  before: phaseSchema,
  during: phaseSchema,
  after: phaseSchema,
});

export type SlowReport = z.infer<typeof slowSchema>;
export type SlowPhase = z.infer<typeof phaseSchema>;
export type Reaction = (typeof reactions)[number];
