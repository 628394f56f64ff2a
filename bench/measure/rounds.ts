// Runs the rounds of a comparison: the order of the arms, and a fresh process for each measurement.

import { routeOf } from "../engine/route.ts";
import { type Comparison, type Sample, sampleOf } from "../result/comparison.ts";
import type { Result } from "../result/schema.ts";
import { samplePid } from "../target/process-sampler.ts";
import { chooseSampler, defaultMetricsPeriodMs } from "../target/sampler.ts";
import { startTarget } from "../target/started-target.ts";
import { defaultMetricsUrl, TargetError } from "../target/target.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import type { WebSocketScenario } from "./scenario.ts";

/** One of the things that are compared. */
export interface Arm {
  readonly name: string;
  /** A WebSocket URL, or a command that starts a target, with `{port}`. */
  readonly target: string;
}

export interface RoundsOptions extends Pick<MeasureOptions, "signal" | "onProgress"> {
  readonly arms: readonly Arm[];
  /** What to measure; its URL counts for targets that are URLs themselves only by its path. */
  readonly scenario: WebSocketScenario;
  /** Complete rounds to measure; the least number when `isEnough` is given. */
  readonly rounds: number;
  /** Asked after each round from `rounds` on; while it does not hold, another round is measured. */
  readonly isEnough?: ((samples: readonly Sample[]) => boolean) | undefined;
  /** The most rounds; only with `isEnough`. */
  readonly maxRounds?: number | undefined;
  /** No round begins that would likely end later than this, counted from the start. */
  readonly deadlineMs?: number | undefined;
  /** Called after each measurement, in order. */
  readonly onSample?: (sample: Sample, result: Result) => void;
  /** Called for each round that was not completed. */
  readonly onFailedRound?: (failed: FailedRound) => void;
}

export type FailedRound = Comparison["failedRounds"][number];

/** What came of all rounds. */
export interface Rounds extends Pick<Comparison, "failedRounds" | "stop"> {
  /** Of complete rounds only. */
  readonly samples: readonly Sample[];
}

/** How long a command may take until its target listens. */
const startTimeoutMs = 15_000;
/** Failed rounds in a row after which no other is tried. */
const failuresInRow = 3;

/** Whether a target is reached rather than started. */
export function isUrl(target: string): boolean {
  return /^wss?:\/\//i.test(target);
}

/**
 * The order of one round: every arm twice, the second time backwards (ABBA), so that a drift of the machine meets
 * all arms alike; the next round begins with another arm.
 */
export function orderOf(arms: number, round: number): { arm: number; process: 1 | 2 }[] {
  const forth = Array.from({ length: arms }, (_, index) => (index + round - 1) % arms);
  return [
    ...forth.map((arm) => ({ arm, process: 1 as const })),
    ...forth.toReversed().map((arm) => ({ arm, process: 2 as const })),
  ];
}

/**
 * Measures all rounds, one target at a time. A round that fails or is interrupted does not count, and those before it do.
 * @throws TargetError when not even the first round can be measured
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

/** The samples of one round, or why there are none. */
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

/** One measurement of one arm. @throws TargetError when there is none */
async function measureArm(options: RoundsOptions, { name, target }: Arm): Promise<Result> {
  const { scenario, signal, onProgress } = options;
  const path = new URL(scenario.endpoint.url).pathname;
  const started = isUrl(target)
    ? undefined
    : await startTarget(target, { path, timeoutMs: startTimeoutMs, signal });
  const url = started?.url ?? target;
  try {
    const sampler =
      started === undefined
        ? await chooseSampler({
            pid: undefined,
            metricsUrl: undefined,
            defaultMetricsUrl: defaultMetricsUrl(url),
            metricsPeriodMs: defaultMetricsPeriodMs,
            ...routeOf(scenario.endpoint),
          })
        : samplePid(started.pid);
    const labelled = { ...scenario, label: name, endpoint: { ...scenario.endpoint, url } };
    const outcome = await measure(labelled, {
      sampler,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    if (outcome.kind === "nothing") {
      throw new TargetError(`${name}: nothing was measured: ${outcome.reason}`);
    }
    return outcome.result;
  } finally {
    await started?.stop();
  }
}
