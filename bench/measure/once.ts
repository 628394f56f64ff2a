// Measures a target once. A target that is a command is started for it, so that each measurement has a fresh process.

import { routeOf } from "../engine/route.ts";
import type { Result } from "../result/schema.ts";
import { samplePid } from "../target/process-sampler.ts";
import { chooseSampler, defaultMetricsPeriodMs } from "../target/sampler.ts";
import { startTarget } from "../target/started-target.ts";
import { defaultMetricsUrl, TargetError } from "../target/target.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import type { WebSocketScenario } from "./scenario.ts";

export interface OnceOptions extends Pick<MeasureOptions, "signal" | "onProgress"> {
  /** A WebSocket URL, or a command that starts a target, with `{port}`. */
  readonly target: string;
  /** The scenario; for commands, only the path of its URL is used. */
  readonly scenario: WebSocketScenario;
  /** Process ID of a target that is a URL, for sampling. */
  readonly pid?: number | undefined;
  readonly metricsUrl?: string | undefined;
}

/** Timeout for a command's target to listen. */
const startTimeoutMs = 15_000;

/** Returns whether a target is a URL rather than a command. */
export function isUrl(target: string): boolean {
  return /^wss?:\/\//i.test(target);
}

/** @throws TargetError if the target cannot be measured */
export async function measureOnce({ target, scenario, ...options }: OnceOptions): Promise<Result> {
  const { signal, onProgress, pid, metricsUrl } = options;
  const path = new URL(scenario.endpoint.url).pathname;
  const started = isUrl(target)
    ? undefined
    : await startTarget(target, { path, timeoutMs: startTimeoutMs, signal });
  const url = started?.url ?? target;
  try {
    const sampler =
      started === undefined
        ? await chooseSampler({
            pid,
            metricsUrl,
            defaultMetricsUrl: defaultMetricsUrl(url),
            metricsPeriodMs: defaultMetricsPeriodMs,
            ...routeOf(scenario.endpoint),
          })
        : samplePid(started.pid);
    const outcome = await measure(
      { ...scenario, endpoint: { ...scenario.endpoint, url } },
      {
        sampler,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    );
    if (outcome.kind === "nothing") {
      const name = scenario.label === null ? "" : `${scenario.label}: `;
      throw new TargetError(`${name}nothing was measured: ${outcome.reason}`);
    }
    return outcome.result;
  } finally {
    await started?.stop();
  }
}
