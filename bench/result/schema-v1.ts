// Results of version 1, read as what they are now. Their verdict stays as it was given.

import { z } from "zod";
import { type Result, resultSchema, resultVersion } from "./schema.ts";
import { unitOf } from "./threshold.ts";
import { failuresOf } from "./verdict.ts";

/** Before thresholds kept their unit, and Results their failures. */
export const resultV1Schema = resultSchema
  .omit({ version: true, failures: true, thresholds: true })
  .extend({
    version: z.literal(1),
    thresholds: z.array(
      z.strictObject({ expression: z.string(), actual: z.number().nullable(), passed: z.boolean() }),
    ),
  })
  .transform((old): Result => {
    const thresholds = old.thresholds.map((threshold) => ({
      ...threshold,
      unit: unitOf(threshold.expression),
    }));
    const { warnings, verdict, ...figures } = { ...old, version: resultVersion, thresholds } as const;
    return { ...figures, failures: failuresOf(figures), warnings, verdict };
  });
