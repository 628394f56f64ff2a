// Makes the trials of a search: one load on one target, measured for a few seconds and judged by every goal.

import { routeOf } from "../engine/route.ts";
import type { Result } from "../result/schema.ts";
import type { Dimension, Trial } from "../result/search.ts";
import { sampleTrial } from "../result/search.ts";
import { judgeNothing, judgeTrial, type Slo } from "../result/slo.ts";
import { samplePid } from "../target/process-sampler.ts";
import { chooseSampler, defaultMetricsPeriodMs, type Sampler } from "../target/sampler.ts";
import { type StartedTarget, startTarget } from "../target/started-target.ts";
import { defaultMetricsUrl, TargetError } from "../target/target.ts";
import { type MeasureOptions, measure, type Outcome } from "./measure.ts";
import { isUrl } from "./once.ts";
import type { WebSocketScenario } from "./scenario.ts";
import type { Rig } from "./search.ts";

export interface TrialOptions extends Pick<MeasureOptions, "onProgress"> {
  /** A WebSocket URL, or a command that starts a target, with `{port}`. */
  readonly target: string;
  /** What is the same in all trials; for a command, its URL counts only by its path. */
  readonly scenario: WebSocketScenario;
  readonly over: Dimension;
  /** Each connection's rate, when connections are varied in an open loop. */
  readonly ratePerConnection: number | undefined;
  readonly slos: readonly Slo[];
  readonly pid: number | undefined;
  /** `off` for none. */
  readonly metricsUrl: string | undefined;
  readonly signal: AbortSignal;
}

const startTimeoutMs = 15_000;
/** Messages in flight with which a closed loop saturates a target, as far as they fit. */
const saturatingMessages = 512;
const saturatingBytes = 64 * 1024 * 1024;
const deepest = 16;

/** The target of a search. A command is started once, and again after trials that it may not have survived. */
export class TargetRig implements Rig {
  readonly #options: TrialOptions;
  #started: StartedTarget | undefined;
  #sampler: Sampler | undefined;
  #isReady = false;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  nowMs(): number {
    return performance.now();
  }

  /**
   * Replies per second of a closed loop with much in flight.
   * @returns undefined when it was interrupted
   * @throws TargetError when nothing can be measured
   */
  async saturate(durationMs: number): Promise<number | undefined> {
    const { scenario, signal } = this.#options;
    const { connections, endpoint } = scenario;
    const largest = Math.max(1, ...endpoint.payloads.map((payload) => payload.length));
    const messages = Math.min(saturatingMessages, saturatingBytes / largest);
    const depth = Math.min(Math.max(Math.floor(messages / connections), 1), deepest);
    const outcome = await this.#measure({ ...scenario, durationMs, loop: { kind: "closed", depth } });
    if (signal.aborted) {
      return undefined;
    }
    if (outcome.kind === "nothing") {
      throw new TargetError(`nothing was measured: ${outcome.reason}`);
    }
    return outcome.result.summary.messagesPerSecond;
  }

  async trial(load: number, durationMs: number): Promise<Trial | undefined> {
    const { slos, signal } = this.#options;
    const startedAt = new Date().toISOString();
    const outcome = await this.#tryMeasure({ ...scenarioAt(this.#options, load), durationMs });
    if (signal.aborted) {
      return undefined;
    }
    if (outcome.kind === "nothing") {
      this.#isReady = false;
      const kinds = Object.keys(outcome.errors);
      const outcomes = slos.map(() => judgeNothing(outcome.reason, kinds));
      return sampleTrial(undefined, { load, durationMs, startedAt, outcomes });
    }
    const { result } = outcome;
    this.#isReady = isUnharmed(result);
    const outcomes = slos.map((slo) => judgeTrial(slo, result));
    return sampleTrial(result, { load, durationMs, startedAt, outcomes });
  }

  async close(): Promise<void> {
    await this.#started?.stop();
    this.#started = undefined;
  }

  /** A target that does not start again is one on which nothing is measured. */
  async #tryMeasure(scenario: WebSocketScenario): Promise<Outcome> {
    try {
      return await this.#measure(scenario);
    } catch (error) {
      if (!(error instanceof TargetError)) {
        throw error;
      }
      return { kind: "nothing", reason: error.message, errors: {} };
    }
  }

  async #measure(scenario: WebSocketScenario): Promise<Outcome> {
    const { signal, onProgress } = this.#options;
    const url = await this.#ready();
    return await measure(
      { ...scenario, endpoint: { ...scenario.endpoint, url } },
      {
        sampler: this.#sampler,
        signal,
        hurry: signal,
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    );
  }

  /** The URL of the target, which is started if need be. */
  async #ready(): Promise<string> {
    const { target, scenario, signal, pid, metricsUrl } = this.#options;
    if (isUrl(target)) {
      this.#sampler ??= await chooseSampler({
        pid,
        metricsUrl,
        defaultMetricsUrl: defaultMetricsUrl(target),
        metricsPeriodMs: defaultMetricsPeriodMs,
        ...routeOf(scenario.endpoint),
      });
      return target;
    }
    if (this.#started === undefined || !this.#isReady) {
      await this.close();
      this.#started = await startTarget(target, {
        path: new URL(scenario.endpoint.url).pathname,
        timeoutMs: startTimeoutMs,
        signal,
      });
      this.#sampler = samplePid(this.#started.pid);
      this.#isReady = true;
    }
    return this.#started.url;
  }
}

/** Whether a target is as it was before: after lost messages it may still be at work, or dead. */
function isUnharmed({ messages, connections, partial }: Result): boolean {
  return messages.lost === 0 && connections.closedEarly === 0 && partial === null;
}

/** The scenario with one load in it. */
export function scenarioAt(
  { scenario, over, ratePerConnection }: Pick<TrialOptions, "scenario" | "over" | "ratePerConnection">,
  load: number,
): WebSocketScenario {
  const { loop, threads } = scenario;
  switch (over) {
    case "rate":
      return {
        ...scenario,
        loop: { kind: "open", ratePerSecond: load, arrivals: loop.kind === "open" ? loop.arrivals : "even" },
      };
    case "depth":
      return { ...scenario, loop: { kind: "closed", depth: load } };
    case "connections":
      return {
        ...scenario,
        connections: load,
        threads: Math.min(threads, load),
        loop:
          loop.kind === "open" && ratePerConnection !== undefined
            ? { ...loop, ratePerSecond: load * ratePerConnection }
            : loop,
      };
  }
}
