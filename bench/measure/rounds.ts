// Runs the rounds of a comparison: the order of the arms, and a fresh process for each measurement.

import type { Sample } from "../result/comparison.ts";
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
  readonly rounds: number;
  /** Hears of every measurement, in order. */
  readonly onSample?: (sample: Sample, result: Result) => void;
}

/** How long a command may take until its target listens. */
const startTimeoutMs = 15_000;

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
 * Measures all rounds, one target at a time. A round that is interrupted does not count.
 * @throws TargetError when a target does not start, or nothing could be measured
 */
export async function measureRounds(options: RoundsOptions): Promise<Sample[]> {
  const done: Sample[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const samples: Sample[] = [];
    for (const { arm, process } of orderOf(options.arms.length, round)) {
      const result = await measureArm(options, options.arms[arm] as Arm);
      if (result === undefined) {
        return done;
      }
      const sample = { round, arm, process, ...sampleOf(result) };
      options.onSample?.(sample, result);
      samples.push(sample);
    }
    done.push(...samples);
  }
  return done;
}

/** One measurement of one arm; undefined when it was interrupted. */
async function measureArm(options: RoundsOptions, { name, target }: Arm): Promise<Result | undefined> {
  const { scenario, signal } = options;
  if (signal?.aborted === true) {
    return undefined;
  }
  const path = new URL(scenario.endpoint.url).pathname;
  const started = isUrl(target) ? undefined : await startTarget(target, { path, timeoutMs: startTimeoutMs });
  const url = started?.url ?? target;
  try {
    const sampler =
      started === undefined
        ? await chooseSampler({
            pid: undefined,
            metricsUrl: undefined,
            defaultMetricsUrl: defaultMetricsUrl(url),
            metricsPeriodMs: defaultMetricsPeriodMs,
            caPem: scenario.endpoint.caPem,
            insecure: scenario.endpoint.insecure,
          })
        : samplePid(started.pid);
    const labelled = { ...scenario, label: name, endpoint: { ...scenario.endpoint, url } };
    const outcome = await measure(labelled, { ...options, sampler });
    if (isAborted(signal)) {
      return undefined;
    }
    if (outcome.kind === "nothing") {
      throw new TargetError(`${name}: nothing was measured: ${outcome.reason}`);
    }
    return outcome.result;
  } finally {
    await started?.stop();
  }
}

/** A signal may be aborted while one waits, which a compiler that saw it open before does not expect. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function sampleOf(result: Result): Pick<Sample, "startedAt" | "figures" | "verdict" | "failures"> {
  const { latencyUs, messagesPerSecond } = result.summary;
  return {
    startedAt: result.window.startedAt,
    figures: {
      serverCpuUsPerMessage: result.server?.cpuUsPerMessage ?? null,
      messagesPerSecond,
      p50Us: latencyUs?.p50 ?? null,
      p99Us: latencyUs?.p99 ?? null,
      p999Us: latencyUs?.p999 ?? null,
    },
    verdict: result.verdict,
    failures: result.failures,
  };
}
