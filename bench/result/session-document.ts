// Defines the fields that all session documents share: target, closes, thresholds, failures.

import { z } from "zod";
import { environmentSchema, figureUnits } from "./schema.ts";
import { closeSchema } from "./schema-figures.ts";

const thresholdSchema = z.strictObject({
  expression: z.string(),
  actual: z.number().nullable(),
  unit: z.enum(figureUnits).nullable(),
  passed: z.boolean(),
});

/** The shared fields. */
export const documentShape = {
  /** Name for tables and plots; null to use the target's URL. */
  label: z.string().nullable(),
  startedAt: z.iso.datetime(),
  /** The command line, without the program and without secrets; null if there was none. */
  command: z.array(z.string()).nullable(),
  target: z.strictObject({
    url: z.string(),
    /** Whether it is reached over loopback, so both ends of each connection are on this machine. */
    local: z.boolean(),
  }),
  /** Why the session ended early; null if it did not. */
  partial: z.strictObject({ reason: z.string() }).nullable(),
  /** Seed of payloads and other random choices; null if it was not kept. */
  seed: z.int().nonnegative().nullable().default(null),
  /** SHA-256 of the payloads of each group that sends some, by its name; of several payloads, concatenated. */
  payloadSha256: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)).default({}),
  closes: z.array(closeSchema),
  /** Number of errors by kind. */
  errors: z.record(z.string(), z.int().positive()),
  thresholds: z.array(thresholdSchema),
  /** Why the document must not be used; empty if it may. */
  failures: z.array(z.string()),
  warnings: z.array(z.string()),
  environment: environmentSchema,
};

export type MetThreshold = z.infer<typeof thresholdSchema>;

/** A slope, and the interval that covers the true one in `confidence` of all cases. */
export const slopeShape = { low: z.number(), high: z.number(), confidence: z.number().min(0).max(1) };
