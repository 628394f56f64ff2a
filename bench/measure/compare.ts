// Makes a Comparison of targets, measured in rounds, or of existing Results.

import { choosePrimary, compare } from "../result/analysis.ts";
import type { Comparison, FigureName, Sample } from "../result/comparison.ts";
import { contrastOf } from "../result/contrast.ts";
import { describeEnvironment } from "../target/environment.ts";
import { measureRounds, type RoundsOptions } from "./rounds.ts";
import { recordScenario } from "./scenario.ts";

/** Criteria of a comparison. */
export interface JudgeOptions {
  /** Differences up to this share count as none. */
  readonly margin: number;
  /** The compared figure; undefined to choose from the available ones. */
  readonly primary: FigureName | undefined;
}

export interface CompareOptions extends Omit<RoundsOptions, "isEnough">, JudgeOptions {
  /** Repeats rounds until the interval of the primary figure reaches at most this share beyond its ratio. */
  readonly until?: number | undefined;
}

/**
 * Measures every arm in every round and compares each with the first.
 * @returns undefined if interrupted before the first round was complete
 * @throws TargetError if the first round cannot be measured
 */
export async function compareArms(options: CompareOptions): Promise<Comparison | undefined> {
  const { arms, margin, primary, until } = options;
  const startedAt = new Date().toISOString();
  const environment = describeEnvironment();
  const scenario = recordScenario(options.scenario);
  const isEnough = (samples: readonly Sample[]): boolean => {
    const figure = primary ?? choosePrimary(samples, scenario);
    return arms.slice(1).every((_, index) => {
      const { ratio, high } = contrastOf({ samples, arm: index + 1, isPaired: true, margin }, figure);
      return ratio !== null && high !== null && high / ratio - 1 <= (until ?? 0);
    });
  };
  const measured = await measureRounds({ ...options, isEnough: until === undefined ? undefined : isEnough });
  if (measured.samples.length === 0) {
    return undefined;
  }
  return compare({
    startedAt,
    stop: measured.stop,
    failedRounds: measured.failedRounds,
    isPaired: true,
    margin,
    primary,
    arms: arms.map(({ name, target }) => ({ name, target })),
    scenario,
    environment,
    samples: [...measured.samples],
  });
}
