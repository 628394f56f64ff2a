// The shape of a DrainReport, the versioned JSON file of `drain`: the effect of a server's shutdown on its clients.

import { z } from "zod";
import { histogramSchema, latencySchema } from "./schema-figures.ts";
import { documentShape } from "./session-document.ts";

/** The `kind` of every DrainReport. */
export const drainKind = "uws-echo-bench/drain";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const drainVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

/** What began the drain. */
const triggerSchema = z.strictObject({
  kind: z.enum(["signal", "exec"]),
  /** `SIGTERM to 1234`, or the command. */
  what: z.string(),
  /** From the start of the load. */
  atSeconds: amount,
  /** Exit code of the command; null if it was killed, and for a signal. */
  exitCode: count.nullable(),
  /** How long the command ran; for a signal, until the process was gone. Null when it was still there at the end. */
  seconds: amount.nullable(),
});

/** One second of the load. */
const secondSchema = z.strictObject({
  /** Its end, from the start of the load. */
  endSeconds: amount,
  answered: count,
  p99Us: amount.nullable(),
  open: count,
  closed: count,
  failed: count,
});

export const drainSchema = z.strictObject({
  kind: z.literal(drainKind),
  version: z.literal(drainVersion),
  ...documentShape,
  load: z.strictObject({ connections: count, ratePerSecond: amount, payloadBytes: count }),
  trigger: triggerSchema,
  messages: z.strictObject({
    due: count,
    sent: count,
    /** Answered, lost or corrupt: all sent messages except those that crossed the close frame. */
    accepted: count,
    answered: count,
    /** Never answered, although the server had read them: a later message was answered, or the ping behind it. */
    lost: count,
    /** Sent, but not read by the server when it sent its close frame: no pong to the ping behind them came. */
    crossed: count,
    /** Due while no client was connected, or while the target read no more. */
    unsent: count,
    corrupt: count,
  }),
  /** How long each client was without a connection. */
  gaps: z.strictObject({
    /** Clients that lost their connection and reconnected. */
    back: count,
    /** Clients without a connection at the end. */
    absent: count,
    latencyUs: latencySchema.nullable(),
    histogram: histogramSchema.nullable(),
  }),
  /** Attempts to reconnect that failed. */
  failed: count,
  before: latencySchema.nullable(),
  after: latencySchema.nullable(),
  seconds: z.array(secondSchema),
});

export type DrainReport = z.infer<typeof drainSchema>;
export type DrainTrigger = z.infer<typeof triggerSchema>;
export type DrainSecond = z.infer<typeof secondSchema>;
