// Makes a Comparison: of targets that it measures in rounds, or of Results that were measured before.

import { choosePrimary, compare } from "../result/analysis.ts";
import type { Comparison, FigureName, Sample } from "../result/comparison.ts";
import { contrastOf } from "../result/contrast.ts";
import { describeEnvironment } from "../target/environment.ts";
import { measureRounds, type RoundsOptions } from "./rounds.ts";
import { recordScenario } from "./scenario.ts";

/** How a comparison is judged. */
export interface JudgeOptions {
  /** Share that is taken as no difference. */
  readonly margin: number;
  /** The figure that it is about; undefined to choose by what is known. */
  readonly primary: FigureName | undefined;
}

export interface CompareOptions extends Omit<RoundsOptions, "isEnough">, JudgeOptions {
  /** Measures on until the interval of the primary figure reaches at most this share beyond its ratio. */
  readonly until?: number | undefined;
}

/**
 * Measures every arm in every round and holds each against the first.
 * @returns undefined when it was interrupted before the first round was complete
 * @throws TargetError when not even the first round can be measured
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
