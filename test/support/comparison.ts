// Comparisons for tests: two arms, three rounds, every measurement sound; a test says what was measured.

import {
  type Comparison,
  comparisonKind,
  comparisonVersion,
  comparisonWarnings,
  contrastsOf,
  type Sample,
} from "../../bench/result/comparison.ts";
import { exampleResult } from "./result.ts";

/** @param figuresOf the figures of both processes of an arm (0 or 1) in a round (1 to 3) */
export function exampleComparison(
  arms: Comparison["arms"],
  figuresOf: (arm: number, round: number) => Sample["figures"],
): Comparison {
  const samples = [1, 2, 3].flatMap((round) =>
    [0, 1].flatMap((arm) =>
      ([1, 2] as const).map(
        (process): Sample => ({
          round,
          arm,
          process,
          startedAt: "2026-11-22T12:00:00.000Z",
          figures: figuresOf(arm, round),
          verdict: "server-bound",
          failures: [],
        }),
      ),
    ),
  );
  const { scenario, environment } = exampleResult();
  return {
    kind: comparisonKind,
    version: comparisonVersion,
    startedAt: "2026-11-22T12:00:00.000Z",
    rounds: 3,
    arms,
    scenario,
    environment,
    contrasts: contrastsOf(samples, 2),
    samples,
    warnings: comparisonWarnings(samples),
  };
}
