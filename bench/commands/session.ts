// Runs a scenario for a command, with samples of the server, a progress line and Ctrl-C.

import {
  runScenario,
  type SessionOptions,
  type SessionOutcome,
  type SessionProgress,
} from "../measure/session.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { chooseSampler, type Sampler } from "../target/sampler.ts";
import { defaultMetricsUrl, requireHost } from "../target/target.ts";
import type { ServerSource } from "./load-options.ts";
import { interruptOnSignal } from "./outcome.ts";
import { serveOwnMetrics } from "./own-metrics.ts";
import { createSessionLine } from "./progress.ts";

export interface SessionRun extends Pick<SessionOptions, "onStep"> {
  readonly scenario: Scenario;
  readonly source: ServerSource;
  /** Read memory more closely. */
  readonly memory?: boolean;
  /** Puts something between the session and the sampler. */
  readonly watch?: (sampler: Sampler | undefined) => Sampler | undefined;
  readonly onProgress?: (progress: SessionProgress) => void;
  /** Ends the session, besides Ctrl-C. */
  readonly signal?: AbortSignal;
}

/** @returns what happened, and the errors on the standard error output */
export async function runSession(run: SessionRun): Promise<SessionOutcome> {
  const { scenario, source, memory = false, watch = (sampler) => sampler, onStep, onProgress, signal } = run;
  const { target } = scenario;
  await requireHost(target.url, target);
  const sampler = await chooseSampler({
    ...target,
    ...source,
    memory,
    defaultMetricsUrl: defaultMetricsUrl(target.url),
  });
  const names = scenario.groups.map(({ name }) => name);
  const { onInterval, onReady, close } = await serveOwnMetrics(source.ownMetrics, names);
  const hurry = new AbortController();
  const interruption = interruptOnSignal(hurry);
  const line = createSessionLine(process.stderr);
  try {
    return await runScenario(scenario, {
      sampler: watch(sampler),
      signal: signal === undefined ? interruption.signal : AbortSignal.any([interruption.signal, signal]),
      hurry: hurry.signal,
      onProgress: (progress) => {
        line.show(progress);
        onProgress?.(progress);
      },
      onInterval,
      onReady,
      startAt: source.startAt,
      ...(onStep === undefined ? {} : { onStep }),
    });
  } finally {
    line.end();
    interruption.end();
    close();
  }
}
