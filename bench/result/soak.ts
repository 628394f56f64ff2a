// The shape of a SoakReport, the versioned JSON file of `soak`: what grows and what drifts over hours.

import { z } from "zod";
import { leakVerdicts } from "./leak.ts";
import { documentShape, slopeShape } from "./session-document.ts";

/** The `kind` of every SoakReport. */
export const soakKind = "uws-echo-bench/soak";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const soakVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

/** One stretch of time; memory, heap and descriptors are its lowest samples. Unknown values are null. */
const pointSchema = z.strictObject({
  /** From the start of the judged time. */
  seconds: amount,
  memoryBytes: amount.nullable(),
  heapBytes: amount.nullable(),
  descriptors: amount.nullable(),
  cpuPercent: amount.nullable(),
  p99Us: amount.nullable(),
  messagesPerSecond: amount.nullable(),
  open: amount,
});

const perHourSchema = z.strictObject({ perHour: z.number(), ...slopeShape }).nullable();

/** What may leak: the trend of its low points. */
const growthSchema = z.strictObject({
  verdict: z.enum([...leakVerdicts, "unknown"]),
  slope: perHourSchema,
  /** Probability that low points rise like this without a leak (Mann-Kendall). */
  probability: amount.nullable(),
  /** Low points that the verdict rests on. */
  lows: count,
});

/** What may drift: the trend of all values. `rising`: higher at the end than chance explains. */
const driftSchema = z.strictObject({
  verdict: z.enum(["rising", "steady", "unknown"]),
  slope: perHourSchema,
  probability: amount.nullable(),
  /** Medians of the first and the last quarter. */
  first: amount.nullable(),
  last: amount.nullable(),
});

export const soakSchema = z.strictObject({
  kind: z.literal(soakKind),
  version: z.literal(soakVersion),
  ...documentShape,
  load: z.strictObject({
    connections: count,
    ratePerSecond: amount,
    payloadBytes: count,
    /** Mean time until a connection is replaced; null when none is. */
    lifetimeMs: amount.nullable(),
  }),
  durationMs: amount,
  /** Not judged, because caches fill and code is compiled at the start. */
  warmupMs: amount,
  /** Growth per hour that is no failure, in bytes. */
  toleratedBytesPerHour: amount,
  memory: growthSchema,
  heap: growthSchema,
  descriptors: growthSchema,
  p99: driftSchema,
  cpu: driftSchema,
  /** Null in a checkpoint. */
  totals: z
    .strictObject({
      sent: count,
      answered: count,
      lost: count,
      opened: count,
      failed: count,
      closed: count,
      expired: count,
    })
    .nullable(),
  points: z.array(pointSchema),
});

export type SoakReport = z.infer<typeof soakSchema>;
export type SoakPoint = z.infer<typeof pointSchema>;
export type Growth = z.infer<typeof growthSchema>;
export type Drift = z.infer<typeof driftSchema>;
