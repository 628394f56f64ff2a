// Defines the parts of a Result that describe generator, server, machine and connecting.

import { z } from "zod";
import { steadinessVerdicts } from "./steadiness.ts";

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

export const latencySchema = z.strictObject({
  min: amount,
  mean: amount,
  p50: amount,
  p90: amount,
  p99: amount,
  p999: amount,
  p9999: amount,
  max: amount,
});

/** Base64 of HdrHistogram's V2 compressed encoding. */
export const histogramSchema = z.strictObject({
  encoding: z.literal("hdr-v2-compressed-base64"),
  /** Length of one recorded unit in nanoseconds. */
  unitNs: z.int().positive(),
  data: z.base64(),
});

/** Equal stretches of the window; a shorter one at its end is left out, and so is what came after. */
export const spansSchema = z.strictObject({
  seconds: z.int().positive(),
  /** Where the first one begins, from the start of the window: later where generators began apart. */
  startSeconds: amount,
  entries: z.array(z.strictObject({ replies: count, latency: histogramSchema })),
});

/** CPU share: 100 is one core fully used. CPUs: the logical CPU numbers that a process is allowed to use. */
export const clientSchema = z.strictObject({
  cpuUsPerMessage: amount.nullable(),
  cpuPercent: amount,
  /** The busiest generator thread; its limit is 100. */
  busiestThreadPercent: amount.nullable(),
  /** p99 of the generator's delay against its schedule; null without a schedule. */
  lagUs: amount.nullable(),
  /** Time that its threads were ready to run and had no CPU, of the window's; null when unknown. */
  waitedPercent: amount.nullable(),
  rssBytes: count.nullable(),
  cpus: z.array(count),
});

export const serverSchema = z.strictObject({
  /** The source of these figures: /proc of a process, or the target's Prometheus page. */
  source: z.enum(["pid", "metrics"]),
  cpuUsPerMessage: amount.nullable(),
  cpuPercent: amount.nullable(),
  /** Its busiest thread (of a page: worker); its limit is 100. Null if unknown. */
  busiestThreadPercent: amount.nullable(),
  /** Time that its threads were ready to run and had no CPU, of the window's; null when unknown. */
  waitedPercent: amount.nullable(),
  /** Processes that share the work. */
  workers: count,
  rssBytes: count.nullable(),
  /** Maximum of bytes that the server buffered for slow readers. */
  maxBufferedBytes: count.nullable(),
  droppedMessages: count.nullable(),
  /** Messages received in the window, by its own count. */
  receivedMessages: count.nullable(),
  /** Different processes that answered: more than one behind a balancer. */
  replicas: count,
  /** Addresses of the metrics' host that did not answer every reading. */
  silent: z.array(z.string()).optional(),
  cpus: z.array(count).nullable(),
});

/** Further figures of the generator, from its worst thread. */
export const generatorSchema = z.strictObject({
  /** Closed loop: the delay of a timer of one millisecond in the window. */
  hiccupUs: z.strictObject({ p50: amount, p99: amount, max: amount }).nullable(),
  /** Open loop: variance over mean of the messages sent in equal spans. 0 is even, 1 is Poisson, more is bursts. */
  dispersion: amount.nullable(),
});

/** Bytes on the sockets in the window: frames, compressed or not, without TLS. */
export const wireSchema = z.strictObject({ sentBytes: count, receivedBytes: count });

const connectStageSchema = z
  .strictObject({ latencyUs: latencySchema, histogram: histogramSchema })
  .nullable();

/** How connections opened. A stage that did not happen is null. */
export const connectsSchema = z.strictObject({
  askedPerSecond: amount.nullable(),
  /** From the due time of the first to the end of the last handshake. */
  perSecond: amount.nullable(),
  /** Connections on which the target agreed to compression. */
  compressed: count,
  /** The generator's delay before connecting. */
  lag: connectStageSchema,
  /** Each from the end of the previous stage. */
  tcp: connectStageSchema,
  tls: connectStageSchema,
  upgrade: connectStageSchema,
  /** From its due time to the end of the handshake. */
  open: connectStageSchema,
  /** From the first message on the connection to its reply. */
  firstEcho: connectStageSchema,
});

const intervalSchema = z.strictObject({ low: amount, high: amount });

/** 95 % intervals by a block bootstrap over the window's seconds. A percentile with too few messages beyond it is null. */
export const intervalsSchema = z.strictObject({
  resamples: count,
  seed: count,
  /** Number of resampled spans, and their length. */
  spans: count,
  spanSeconds: count,
  messagesPerSecond: intervalSchema,
  latencyUs: z.strictObject({
    p50: intervalSchema.nullable(),
    p99: intervalSchema.nullable(),
    p999: intervalSchema.nullable(),
  }),
});

export const steadinessSchema = z.strictObject({
  verdict: z.enum(steadinessVerdicts),
  /** Time of the last change, from the start of the window; null if there was none. */
  changedAtSeconds: amount.nullable(),
  /** The figure that changed, and its factor from the first level to the last. */
  figure: z.string().nullable(),
  factor: amount.nullable(),
});

/** The generator's machine during the window. Unknown is null. */
export const machineSchema = z.strictObject({
  /** Over one minute, at the end of the window. */
  loadAverage: amount,
  cores: count,
  /** CPU time of everything on it; 100 is one core. */
  busyPercent: amount.nullable(),
  /** CPU time that the hypervisor gave to other guests. */
  stealPercent: amount.nullable(),
  /** Share of the time in which something was ready to run but waited for a CPU (PSI, some). */
  pressurePercent: amount.nullable(),
});

/** Connections that ended alike within one second, as far as the target or the network ended them. */
export const closeSchema = z.strictObject({
  /** From the start of the timeline; below 0 while the first connections opened. */
  second: z.int(),
  /** `closed-1001`, `reset`, `handshake-refused`, ... as errors are called. */
  kind: z.string(),
  /** Close code, 1006 without one (RFC 6455 section 7.1.5); null when the connection never opened. */
  code: count.nullable(),
  /** HTTP status of a refused handshake. */
  status: count.nullable(),
  count,
});

export type Close = z.infer<typeof closeSchema>;
