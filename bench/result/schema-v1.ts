// Reads Results of version 1 as what they are now. Their verdict stays as it was given, and what they did not record is null.

import { z } from "zod";
import { type Part, type Result, resultSchema, resultVersion } from "./schema.ts";
import { clientSchema, serverSchema } from "./schema-figures.ts";
import { unitOf } from "./threshold.ts";
import { failuresOf } from "./verdict.ts";

const { messages, histograms, scenario } = resultSchema.shape;

export const resultV1Schema = resultSchema
  .omit({
    version: true,
    failures: true,
    thresholds: true,
    parts: true,
    generator: true,
    connects: true,
    wire: true,
    clock: true,
    intervals: true,
    steadiness: true,
    machine: true,
  })
  .extend({
    version: z.literal(1),
    messages: messages.omit({ due: true, unsent: true }),
    scenario: scenario.omit({ fill: true, part: true }),
    client: clientSchema.omit({ waitedPercent: true }),
    server: serverSchema
      .omit({ busiestThreadPercent: true, waitedPercent: true, receivedMessages: true, replicas: true })
      .exactOptional(),
    histograms: histograms.omit({ unsent: true }),
    thresholds: z.array(
      z.strictObject({ expression: z.string(), actual: z.number().nullable(), passed: z.boolean() }),
    ),
  })
  .transform((old): Result => {
    const { warnings, verdict, server, ...rest } = old;
    const figures = {
      ...rest,
      version: resultVersion,
      messages: { ...old.messages, due: old.messages.sent, unsent: 0 },
      client: { ...old.client, waitedPercent: null },
      ...(server === undefined ? {} : { server: { ...server, ...unknownOfServer } }),
      scenario: { ...old.scenario, fill: null, part: null },
      clock: null,
      parts: [] as Part[],
      generator: null,
      connects: null,
      wire: null,
      machine: null,
      intervals: null,
      steadiness: unknownSteadiness,
      histograms: { ...old.histograms, unsent: null },
      thresholds: old.thresholds.map((threshold) => ({ ...threshold, unit: unitOf(threshold.expression) })),
    } as const;
    return { ...figures, failures: failuresOf(figures), warnings, verdict };
  });

const unknownSteadiness = {
  verdict: "too-short",
  changedAtSeconds: null,
  figure: null,
  factor: null,
} as const;

const unknownOfServer = {
  busiestThreadPercent: null,
  waitedPercent: null,
  receivedMessages: null,
  replicas: 1,
};
