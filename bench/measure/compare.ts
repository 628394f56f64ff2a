// Makes one comparison: runs the rounds and computes the Comparison.

import {
  type Comparison,
  comparisonKind,
  comparisonSchema,
  comparisonVersion,
  comparisonWarnings,
  contrastsOf,
} from "../result/comparison.ts";
import { describeEnvironment } from "../target/environment.ts";
import { measureRounds, type RoundsOptions } from "./rounds.ts";
import { recordScenario } from "./scenario.ts";

/**
 * Measures every arm in every round and holds each against the first.
 * @returns undefined when it was interrupted before the first round was complete
 * @throws TargetError when a target does not start, or nothing could be measured
 */
export async function compareArms(options: RoundsOptions): Promise<Comparison | undefined> {
  const { arms, scenario } = options;
  const startedAt = new Date().toISOString();
  const environment = describeEnvironment();
  const samples = await measureRounds(options);
  const rounds = Math.max(0, ...samples.map(({ round }) => round));
  if (rounds === 0) {
    return undefined;
  }
  const cutShort =
    rounds < options.rounds ? [`Interrupted after ${rounds} of ${options.rounds} rounds.`] : [];
  return {
    kind: comparisonKind,
    version: comparisonVersion,
    startedAt,
    rounds,
    arms: arms.map(({ name, target }) => ({ name, target })),
    scenario: recordScenario(scenario),
    environment,
    contrasts: contrastsOf(samples, arms.length),
    samples,
    warnings: [...cutShort, ...comparisonWarnings(samples)],
  };
}

/** The Comparison as the JSON text of its file. @throws ZodError when it is no valid Comparison */
export function formatComparisonFile(comparison: Comparison): string {
  return `${JSON.stringify(comparisonSchema.parse(comparison), null, 2)}\n`;
}
