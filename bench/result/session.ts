// The shape of a SessionReport, the versioned JSON file of a scenario from a file: what happened, step by step.

import { z } from "zod";
import { partSchema } from "./schema.ts";
import { clientSchema, histogramSchema, latencySchema, serverSchema } from "./schema-figures.ts";
import { documentShape } from "./session-document.ts";
import type { Version } from "./store.ts";

/** The `kind` of every SessionReport. */
export const sessionKind = "uws-echo-bench/session";
/** Raised whenever a field is added or removed, or changes its meaning. */
export const sessionVersion = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

/** One second; several of a long step. */
const secondSchema = z.strictObject({
  /** From the start of the timeline. */
  endSeconds: amount,
  messagesPerSecond: amount,
  p50Us: amount.nullable(),
  p99Us: amount.nullable(),
  openConnections: count,
});

const groupSchema = z.strictObject({
  /** By the names that docs/scenarios.md describes; those that are 0 are left out. */
  counters: z.record(z.string(), count),
  /** The same of what was timed. */
  times: z.record(z.string(), z.strictObject({ latencyUs: latencySchema, histogram: histogramSchema })),
  /** At the end of the step. */
  openConnections: count,
  /** Clients that were to have a connection then and had none. */
  absentClients: count,
  series: z.array(secondSchema),
});

const stepSchema = z.strictObject({
  name: z.string(),
  measured: z.boolean(),
  /** From the start of the timeline. */
  fromSeconds: amount,
  seconds: amount,
  complete: z.boolean(),
  /** By name. */
  groups: z.record(z.string(), groupSchema),
  client: clientSchema,
  server: serverSchema.nullable(),
});

export const sessionSchema = z.strictObject({
  kind: z.literal(sessionKind),
  version: z.literal(sessionVersion),
  ...documentShape,
  groups: z.array(
    z.strictObject({
      name: z.string(),
      /** At most at a time. */
      connections: count,
      /** The kind of its traffic. */
      traffic: z.string(),
    }),
  ),
  /** Opening the connections that are due at the start, by group. */
  connect: z.record(z.string(), groupSchema),
  steps: z.array(stepSchema),
  /** The reports that were merged into this one; empty if none were. */
  parts: z.array(partSchema).default([]),
});

export const sessionVersions: readonly Version<SessionReport>[] = [
  { kind: sessionKind, version: sessionVersion, schema: sessionSchema },
];

export type SessionReport = z.infer<typeof sessionSchema>;
export type SessionStep = z.infer<typeof stepSchema>;
export type SessionGroup = z.infer<typeof groupSchema>;
