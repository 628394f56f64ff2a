// Converts Results of version 1 to the current form. Their verdict stays, and figures that they lack are null.

import { z } from "zod";
import { hashOf } from "./parts.ts";
import { type Part, type Result, resultSchema, resultVersion } from "./schema.ts";
import { clientSchema, serverSchema } from "./schema-figures.ts";
import { unitOf } from "./threshold.ts";
import { failuresOf } from "./verdict.ts";

const { messages, histograms, scenario, series } = resultSchema.shape;
const newInScenario = { fill: true, payloadSha256: true, seed: true, part: true } as const;

/** The scenario as version 1 of Results and Comparisons had it. */
export const scenarioV1Schema = scenario.omit(newInScenario);
export const unknownOfScenario = { fill: null, payloadSha256: null, seed: null, part: null } as const;

export const resultV1Schema = resultSchema
  .omit({
    version: true,
    id: true,
    command: true,
    firstErrors: true,
    spans: true,
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
    scenario: scenarioV1Schema,
    client: clientSchema.omit({ waitedPercent: true }),
    server: serverSchema
      .omit({ busiestThreadPercent: true, waitedPercent: true, receivedMessages: true, replicas: true })
      .exactOptional(),
    histograms: histograms.omit({ unsent: true }),
    series: z.array(series.element.omit({ lagP99Us: true })),
    thresholds: z.array(
      z.strictObject({ expression: z.string(), actual: z.number().nullable(), passed: z.boolean() }),
    ),
  })
  .transform((old): Result => {
    const { warnings, verdict, server, ...rest } = old;
    const figures = {
      ...rest,
      version: resultVersion,
      id: hashOf(old),
      command: null,
      firstErrors: {},
      spans: null,
      messages: { ...old.messages, due: old.messages.sent, unsent: 0 },
      client: { ...old.client, waitedPercent: null },
      ...(server === undefined ? {} : { server: { ...server, ...unknownOfServer } }),
      scenario: { ...old.scenario, ...unknownOfScenario },
      clock: null,
      parts: [] as Part[],
      generator: null,
      connects: null,
      wire: null,
      machine: null,
      intervals: null,
      steadiness: unknownSteadiness,
      histograms: { ...old.histograms, unsent: null },
      series: old.series.map((second) => ({ ...second, lagP99Us: null })),
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
