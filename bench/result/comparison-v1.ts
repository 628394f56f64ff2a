// Reads Comparisons of version 1 in the current form: keeps their samples, and recomputes the conclusions.

import { z } from "zod";
import { compare } from "./analysis.ts";
import { type Comparison, comparisonSchema } from "./comparison.ts";
import { scenarioV1Schema, unknownOfScenario } from "./schema-v1.ts";

export const comparisonV1Kind = "uws-echo-bench/comparison";
/** Version 1 had no margin; this is the default of `compare`. */
const margin = 0.02;

const amount = z.number().nonnegative().nullable();

export const comparisonV1Schema = z
  .strictObject({
    kind: z.literal(comparisonV1Kind),
    version: z.literal(1),
    ...comparisonSchema.pick({ startedAt: true, arms: true, environment: true }).shape,
    scenario: scenarioV1Schema,
    rounds: z.int().positive(),
    samples: z.array(
      comparisonSchema.shape.samples.element.extend({
        figures: z.strictObject({
          serverCpuUsPerMessage: amount,
          messagesPerSecond: amount,
          p50Us: amount,
          p99Us: amount,
          p999Us: amount,
        }),
      }),
    ),
    contrasts: z.array(z.unknown()),
    warnings: z.array(z.string()),
  })
  .transform(
    ({ startedAt, arms, scenario, environment, samples }): Comparison =>
      compare({
        startedAt,
        stop: "rounds",
        failedRounds: [],
        isPaired: true,
        margin,
        primary: undefined,
        arms,
        scenario: { ...scenario, ...unknownOfScenario },
        environment,
        samples: samples.map((sample) => ({
          ...sample,
          figures: {
            serverCpuPerMessage: sample.figures.serverCpuUsPerMessage,
            messagesPerSecond: sample.figures.messagesPerSecond,
            p50: sample.figures.p50Us,
            p99: sample.figures.p99Us,
            p999: sample.figures.p999Us,
          },
        })),
      }),
  );
