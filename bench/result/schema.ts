// Defines a Result, the versioned JSON file of one measurement.
// Unknown values are null (never 0, never omitted), so that every key is always present.

import { z } from "zod";
import {
  clientSchema,
  closeSchema,
  connectsSchema,
  generatorSchema,
  histogramSchema,
  intervalsSchema,
  latencySchema,
  machineSchema,
  serverSchema,
  spansSchema,
  steadinessSchema,
  wireSchema,
} from "./schema-figures.ts";

/** The `kind` of every Result; a file with another one is not a Result. */
export const resultKind = "uws-echo-bench/result";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const resultVersion = 2;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const timestamp = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const scenarioSchema = z.strictObject({
  connections: count,
  /** Messages in flight per connection (for http: pipelined requests); null in an open loop. */
  depth: count.nullable(),
  /** Requested rate over all connections; null unless the loop is open. */
  ratePerSecond: amount.nullable(),
  arrivals: z.enum(["even", "poisson"]).nullable(),
  /** The stages of a changing rate, in order; null for a constant rate. `ratePerSecond` is their mean. */
  stages: z
    .array(z.strictObject({ durationMs: amount, fromPerSecond: amount, toPerSecond: amount }))
    .nullable()
    .default(null),
  durationMs: amount,
  warmupMs: amount,
  /** Rate at which connections are opened; null for as fast as possible. */
  connectionsPerSecond: amount.nullable(),
  /** Payload sizes in bytes, sent in turn. */
  payloadBytes: z.array(count).min(1),
  type: z.enum(["text", "binary"]),
  verify: z.enum(["none", "length", "full"]),
  threads: count,
  timeoutMs: amount,
  subprotocols: z.array(z.string()),
  /** Whether permessage-deflate was offered. */
  compression: z.boolean(),
  /** The content of payloads; null for the content of a file, or if unknown. */
  fill: z.enum(["random", "words", "zeros"]).nullable(),
  /** SHA-256 of all payloads, one after the other; null without a payload, or if unknown. */
  payloadSha256: sha256.nullable(),
  /** Seed of generated payloads and random arrivals (--seed); null if nothing was random, or if unknown. */
  seed: count.nullable(),
  /** The number of this generator, from 1; null for a single one, and for a merged Result. */
  part: z.strictObject({ number: count, of: count }).nullable(),
  /** Generators whose Results were merged into this one; 1 for a single run. */
  generators: count,
});

const summarySchema = z.strictObject({
  /** Replies that arrived inside the window, per second of window. */
  messagesPerSecond: amount,
  /** Payload bytes of those replies (one direction; whole responses for http without a body), per second of window. */
  bytesPerSecond: amount,
  /** From the intended send time, see `latencyFrom`; null without replies. */
  latencyUs: latencySchema.nullable(),
  /** From the actual send time; null without replies. */
  serviceUs: latencySchema.nullable(),
});

const messagesSchema = z.strictObject({
  /** In an open loop, the messages of the schedule: sent and unsent. In a closed loop, the sent messages. */
  due: count,
  sent: count,
  /** Held back until the end of the window, because the target did not accept more. Their wait is part of latencyUs. */
  unsent: count,
  received: count,
  /** Sent in the window and never answered, by the timeout or by the end of their connection. */
  lost: count,
  /** Replies with another type, length or content than the message (as far as `verify` checks). */
  corrupt: count,
});

const connectionsSchema = z.strictObject({
  requested: count,
  opened: count,
  failed: count,
  /** Opened, but ended by the target or the network before the end of the run. */
  closedEarly: count,
});

/** An open loop beside the load, on separate connections: the latency for other clients during the load. */
const probeSchema = z.strictObject({
  connections: count,
  ratePerSecond: amount,
  /** Connections that it opened. */
  opened: count,
  messages: messagesSchema,
  /** From the intended send time; null when no reply came. */
  latencyUs: latencySchema.nullable(),
  /** p99 of its delay against its schedule. */
  lagUs: amount.nullable(),
  /** The histogram of latencyUs. */
  histogram: histogramSchema.nullable(),
});

/** One second of the window; the last one may be shorter. */
const secondSchema = z.strictObject({
  /** End of this second, from the start of the window. */
  endSeconds: amount,
  messagesPerSecond: amount,
  bytesPerSecond: amount,
  /** From the intended send time, like summary.latencyUs. */
  p50Us: amount.nullable(),
  p99Us: amount.nullable(),
  maxUs: amount.nullable(),
  /** p99 of the generator's delay; null without a schedule. */
  lagP99Us: amount.nullable(),
  clientCpuPercent: amount.nullable(),
  serverCpuPercent: amount.nullable(),
  serverRssBytes: count.nullable(),
  serverBufferedBytes: count.nullable(),
});

const histogramsSchema = z.strictObject({
  latency: histogramSchema,
  service: histogramSchema,
  /** The part of `latency` from unsent messages; null if there were none. */
  unsent: histogramSchema.nullable(),
});

/** One stage of the window, with the figures that the window has. */
const stepSchema = z.strictObject({
  name: z.string(),
  /** From the start of the window. */
  fromSeconds: amount,
  seconds: z.number().positive(),
  /** Whether it lasted for its full length. */
  complete: z.boolean(),
  summary: summarySchema,
  /** A message counts in the step in which it was due. */
  messages: messagesSchema,
  /** `open` counts connections at its end; the others count those that opened, failed to open, or were ended by the target in it. */
  connections: z.strictObject({ open: count, opened: count, failed: count, closedEarly: count }),
  client: clientSchema,
  server: serverSchema.exactOptional(),
  histograms: histogramsSchema,
});

export const environmentSchema = z.strictObject({
  /** Commit of the harness; null outside a Git checkout. */
  commit: z.string().nullable(),
  /** Whether that checkout had uncommitted changes. */
  dirty: z.boolean().nullable(),
  versions: z.record(z.string(), z.string()),
  kernel: z.string(),
  distribution: z.string().nullable(),
  architecture: z.string(),
  cpuModel: z.string(),
  cores: count,
  cpuGovernor: z.string().nullable(),
  /** CPU limit of the control group, in cores; null if there is none. */
  cpuLimitCores: amount.nullable(),
  memoryBytes: count,
  /** Kind of container (`docker`, `podman`, `kubernetes`, ...); null on a bare or virtual machine. */
  container: z.string().nullable(),
  /** Load average over one minute before the run. */
  loadAverage: amount,
});

/** Units of figures: microseconds, bytes, per cent of one core; null for a count or a rate. */
export const figureUnits = ["us", "bytes", "percent"] as const;
export type FigureUnit = (typeof figureUnits)[number] | null;

const thresholdSchema = z.strictObject({
  expression: z.string(),
  actual: z.number().nullable(),
  /** Of `actual`. */
  unit: z.enum(figureUnits).nullable(),
  passed: z.boolean(),
});

export const partSchema = z.strictObject({
  /** Of the Result that is this part. */
  id: z.string(),
  label: z.string().nullable(),
  startedAt: timestamp,
  messagesPerSecond: amount,
  p99Us: amount.nullable(),
});

export const verdicts = ["server-bound", "client-bound", "rate-limited", "idle", "invalid"] as const;

export const resultSchema = z.strictObject({
  kind: z.literal(resultKind),
  version: z.literal(resultVersion),
  /** Identifies the Result, also in copies. The id of a merged Result is derived from its parts. */
  id: z.string().min(1),
  /** The command line that made it, without the program; values of headers that are secret are `***`. Null if there was none. */
  command: z.array(z.string()).nullable(),
  /** Name for plots and tables; null for the target's URL. */
  label: z.string().nullable(),
  target: z.strictObject({
    url: z.string(),
    /** Whether the target is reached over loopback, so that it shares this machine. */
    local: z.boolean(),
  }),
  engine: z.strictObject({ name: z.string(), version: z.string() }),
  loop: z.enum(["closed", "open", "http"]),
  /** The start of latencyUs; only an open loop has intended send times. */
  latencyFrom: z.enum(["intended-send", "actual-send"]),
  scenario: scenarioSchema,
  /** The window of all figures; it starts after the warm-up. */
  window: z.strictObject({ startedAt: timestamp, seconds: z.number().positive() }),
  /** The target's clock minus ours, measured before a start at a given time. */
  clock: z.strictObject({ offsetMs: z.number(), errorMs: amount }).nullable(),
  /** Why the run ended early; null if it did not. */
  partial: z.strictObject({ reason: z.string() }).nullable(),
  summary: summarySchema,
  messages: messagesSchema,
  connections: connectionsSchema,
  /** Number of errors by kind; empty if there were none. */
  errors: z.record(z.string(), z.int().positive()),
  /** The message of the first error of each kind, if known. */
  firstErrors: z.record(z.string(), z.string()),
  client: clientSchema,
  server: serverSchema.exactOptional(),
  /** The Results that were merged into this one, down to single runs; empty for a single run. */
  parts: z.array(partSchema),
  generator: generatorSchema.nullable(),
  connects: connectsSchema.nullable(),
  wire: wireSchema.nullable(),
  machine: machineSchema.nullable(),
  intervals: intervalsSchema.nullable(),
  steadiness: steadinessSchema,
  series: z.array(secondSchema),
  histograms: histogramsSchema,
  /** The stages of a changing load; empty for a single step, whose figures are those of the window. */
  steps: z.array(stepSchema).default([]),
  /** The warm-up before this run, on connections of its own (--warmup auto); null without it. */
  autoWarmup: z
    .strictObject({
      seconds: amount,
      /** Whether rate and median were steady at its end. */
      steady: z.boolean(),
    })
    .nullable()
    .default(null),
  /** Null without a probe. */
  probe: probeSchema.nullable().default(null),
  /** How connections ended, by the second of the window; those that the generator ended are not among them. */
  closes: z.array(closeSchema).default([]),
  /** The latencies by arrival time of the replies; null if unknown. */
  spans: spansSchema.nullable(),
  thresholds: z.array(thresholdSchema),
  environment: environmentSchema,
  /** Why this measurement must not be used; empty if it may. */
  failures: z.array(z.string()),
  warnings: z.array(z.string()),
  verdict: z.enum(verdicts),
});

export type Latency = z.infer<typeof latencySchema>;
export type Scenario = z.infer<typeof scenarioSchema>;
export type ClientFigures = z.infer<typeof clientSchema>;
export type ServerFigures = z.infer<typeof serverSchema>;
export type Second = z.infer<typeof secondSchema>;
export type ResultStep = z.infer<typeof stepSchema>;
export type Part = z.infer<typeof partSchema>;
export type Connects = z.infer<typeof connectsSchema>;
export type Machine = z.infer<typeof machineSchema>;
export type Probe = z.infer<typeof probeSchema>;
export type Spans = z.infer<typeof spansSchema>;
export type EncodedHistogram = z.infer<typeof histogramSchema>;
export type Environment = z.infer<typeof environmentSchema>;
export type Verdict = (typeof verdicts)[number];
/** One measurement, complete or partial. */
export type Result = z.infer<typeof resultSchema>;
/** A Result without verdict, see result/verdict. */
export type Measurement = Omit<Result, "failures" | "warnings" | "verdict">;
