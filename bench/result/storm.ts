// The shape of a StormReport, the versioned JSON file of `storm`: how a server handles many handshakes at once.

import { z } from "zod";
import { latencySchema } from "./schema-figures.ts";
import { documentShape } from "./session-document.ts";

/** The `kind` of every StormReport. */
export const stormKind = "uws-echo-bench/storm";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const stormVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const timed = latencySchema.nullable();

const stagesSchema = z.strictObject({
  /** How late the generator began to connect. */
  lag: timed,
  /** Each stage, from the end of the previous one. */
  tcp: timed,
  tls: timed,
  upgrade: timed,
  /** From the moment an attempt was due to the end of its handshake. */
  open: timed,
  /** From the first message on a connection to its reply; null with pings. */
  firstEcho: timed,
  /** From the moment a client was due to its connection, refused attempts and waiting included. */
  connected: timed,
});

/** Clients that were connected before the storm. */
const backgroundSchema = z.strictObject({
  connections: count,
  ratePerSecond: amount,
  /** Latencies of their messages or pings. During: until `settledSeconds`, or to the end. */
  before: timed,
  during: timed,
  after: timed,
  /** Connections that could not be opened at the start. */
  failed: count,
  /** Messages or pings without an answer. */
  lost: count,
  /** Connections that the target ended. */
  closed: count,
});

/** One second; the last one may be shorter. */
const secondSchema = z.strictObject({
  /** Its end, from the start of the session. */
  endSeconds: amount,
  begun: count,
  opened: count,
  failed: count,
  open: count,
  /** Of the clients that were connected before. */
  backgroundP99Us: amount.nullable(),
});

export const stormSchema = z.strictObject({
  kind: z.literal(stormKind),
  version: z.literal(stormVersion),
  ...documentShape,
  connections: count,
  /** Null when as fast as handshakes complete. */
  ratePerSecond: amount.nullable(),
  traffic: z.enum(["echo", "ping"]),
  /** When the storm began, from the start of the session. */
  stormAtSeconds: amount,
  /** From the start of the storm until 99 % of the clients had a connection, by the step; null when they never had. */
  settledSeconds: amount.nullable(),
  handshakes: z.strictObject({
    begun: count,
    opened: count,
    /** Answered with an HTTP status other than 101, see `refusals`. */
    refused: count,
    /** Unanswered: unreachable, reset or timed out. */
    failed: count,
    /** Completed or refused, until the storm had settled. */
    perSecond: amount.nullable(),
  }),
  refusals: z.array(z.strictObject({ status: count, count })),
  /** Refusals with Retry-After, which the clients obeyed. */
  retryAfter: count,
  /** Clients without a connection at the end. */
  absent: count,
  /** Connections that opened in the storm and were ended by the target. */
  closed: count,
  messages: z.strictObject({ sent: count, lost: count, corrupt: count }),
  stages: stagesSchema,
  server: z
    .strictObject({
      percentBefore: amount,
      percentDuring: amount,
      /** CPU time that the storm added, per handshake; includes first echoes. */
      cpuUsPerHandshake: amount.nullable(),
    })
    .nullable(),
  background: backgroundSchema.nullable(),
  seconds: z.array(secondSchema),
});

export type StormReport = z.infer<typeof stormSchema>;
export type StormSecond = z.infer<typeof secondSchema>;
export type StormStage = keyof StormReport["stages"];
