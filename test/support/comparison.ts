// Creates comparisons for tests: two arms with valid measurements, whose figures a test chooses.

import { compare } from "../../bench/result/analysis.ts";
import type { Comparison, FigureName, Sample } from "../../bench/result/comparison.ts";
import { createRandom } from "../../src/lib/random.ts";
import { exampleResult } from "./result.ts";

/** What was measured of one process. */
export interface Measured {
  readonly arm: number;
  readonly round: number;
  readonly process: 1 | 2;
}

/** Sound samples of two arms in so many rounds. */
export function samplesOf(rounds: number, figuresOf: (measured: Measured) => Sample["figures"]): Sample[] {
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    [0, 1].flatMap((arm) =>
      ([1, 2] as const).map(
        (process): Sample => ({
          round,
          arm,
          process,
          startedAt: "2026-11-22T12:00:00.000Z",
          figures: figuresOf({ arm, round, process }),
          verdict: "server-bound",
          failures: [],
        }),
      ),
    ),
  );
}

/** Figures that are all the same. */
export function allFigures(value: number | null): Record<FigureName, number | null> {
  return { serverCpuPerMessage: value, messagesPerSecond: value, p50: value, p99: value, p999: value };
}

/** The Comparison of samples. */
export function comparisonOf(
  samples: readonly Sample[],
  changes: Partial<Parameters<typeof compare>[0]> = {},
): Comparison {
  const { scenario, environment } = exampleResult();
  return compare({
    startedAt: "2026-11-22T12:00:00.000Z",
    stop: "rounds",
    failedRounds: [],
    isPaired: true,
    margin: 0.02,
    primary: undefined,
    arms: [
      { name: "A", target: "node a.js {port}" },
      { name: "B", target: "node b.js {port}" },
    ],
    scenario,
    environment,
    samples: [...samples],
    ...changes,
  });
}

/** Three rounds of the given arms. */
export function exampleComparison(
  arms: Comparison["arms"],
  figuresOf: (arm: number, round: number) => Sample["figures"],
): Comparison {
  return comparisonOf(
    samplesOf(3, ({ arm, round }) => figuresOf(arm, round)),
    { arms },
  );
}

/** Standard normal numbers (Box and Muller). */
export function normalOf(seed: number): () => number {
  const random = createRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
