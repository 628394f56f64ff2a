// Runs the rounds of a comparison: the order of the arms, and a fresh process for each measurement.

import { type Comparison, type Sample, sampleOf } from "../result/comparison.ts";
import type { Result } from "../result/schema.ts";
import { TargetError } from "../target/target.ts";
import type { MeasureOptions } from "./measure.ts";
import { measureOnce } from "./once.ts";
import type { WebSocketScenario } from "./scenario.ts";

/** One of the compared targets. */
export interface Arm {
  readonly name: string;
  /** A WebSocket URL, or a command that starts a target, with `{port}`. */
  readonly target: string;
}

export interface RoundsOptions extends Pick<MeasureOptions, "signal" | "onProgress"> {
  readonly arms: readonly Arm[];
  /** The scenario; only the path of its URL is used. */
  readonly scenario: WebSocketScenario;
  /** Number of complete rounds; the minimum if `isEnough` is given. */
  readonly rounds: number;
  /** Called after each round from `rounds` on; another round follows while it returns false. */
  readonly isEnough?: ((samples: readonly Sample[]) => boolean) | undefined;
  /** Maximum of rounds; only with `isEnough`. */
  readonly maxRounds?: number | undefined;
  /** Skips rounds that would likely end later than this after the start. */
  readonly deadlineMs?: number | undefined;
  /** Called after each measurement, in order. */
  readonly onSample?: (sample: Sample, result: Result) => void;
  /** Called for each round that was not completed. */
  readonly onFailedRound?: (failed: FailedRound) => void;
}

export type FailedRound = Comparison["failedRounds"][number];

/** The result of all rounds. */
export interface Rounds extends Pick<Comparison, "failedRounds" | "stop"> {
  /** Samples of complete rounds. */
  readonly samples: readonly Sample[];
}

/** Consecutive failed rounds after which measuring stops. */
const failuresInRow = 3;

/**
 * The order of one round: every arm twice, the second time backwards (ABBA), so that drift of the machine affects
 * all arms equally; the next round begins with another arm.
 */
export function orderOf(arms: number, round: number): { arm: number; process: 1 | 2 }[] {
  const forth = Array.from({ length: arms }, (_, index) => (index + round - 1) % arms);
  return [
    ...forth.map((arm) => ({ arm, process: 1 as const })),
    ...forth.toReversed().map((arm) => ({ arm, process: 2 as const })),
  ];
}

/**
 * Measures all rounds, one target at a time. Failed and interrupted rounds do not count.
 * @throws TargetError if the first round cannot be measured
 */
export async function measureRounds(options: RoundsOptions): Promise<Rounds> {
  const { rounds, isEnough, deadlineMs = Number.POSITIVE_INFINITY } = options;
  const maxRounds = isEnough === undefined ? rounds : (options.maxRounds ?? rounds);
  const samples: Sample[] = [];
  const failedRounds: FailedRound[] = [];
  const startedMs = performance.now();
  let longestMs = 0;
  let complete = 0;
  let failedInRow = 0;
  const finish = (stop: Rounds["stop"]): Rounds => ({ samples, failedRounds, stop });
  for (let round = 1; ; round += 1) {
    if (complete >= rounds && (isEnough === undefined || isEnough(samples))) {
      return finish(isEnough === undefined ? "rounds" : "width");
    }
    const beginMs = performance.now();
    if (complete >= maxRounds) {
      return finish("max-rounds");
    }
    if (complete > 0 && beginMs + longestMs - startedMs > deadlineMs) {
      return finish("deadline");
    }
    const measured = await tryRound(options, round);
    if (measured === "interrupted") {
      return finish("interrupted");
    }
    if (measured instanceof TargetError) {
      if (complete === 0) {
        throw measured;
      }
      const failed = { round, reason: measured.message };
      failedRounds.push(failed);
      options.onFailedRound?.(failed);
      failedInRow += 1;
      if (failedInRow === failuresInRow) {
        return finish("failures");
      }
    } else {
      samples.push(...measured);
      longestMs = Math.max(longestMs, performance.now() - beginMs);
      complete += 1;
      failedInRow = 0;
    }
  }
}

/** Measures one round; returns its samples, or why there are none. */
async function tryRound(
  options: RoundsOptions,
  round: number,
): Promise<readonly Sample[] | "interrupted" | TargetError> {
  const samples: Sample[] = [];
  for (const { arm, process } of orderOf(options.arms.length, round)) {
    try {
      const result = await measureArm(options, options.arms[arm] as Arm);
      if (options.signal?.aborted === true) {
        return "interrupted";
      }
      const sample = { round, arm, process, ...sampleOf(result) };
      options.onSample?.(sample, result);
      samples.push(sample);
    } catch (error) {
      if (options.signal?.aborted === true) {
        return "interrupted";
      }
      if (!(error instanceof TargetError)) {
        throw error;
      }
      return error;
    }
  }
  return samples;
}

/** Measures one arm once. @throws TargetError if that fails */
function measureArm({ scenario, signal, onProgress }: RoundsOptions, { name, target }: Arm): Promise<Result> {
  return measureOnce({
    target,
    scenario: { ...scenario, label: name },
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}
