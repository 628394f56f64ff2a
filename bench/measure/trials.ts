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
  /** Common to all trials; for a command, only the path of its URL is used. */
  readonly scenario: WebSocketScenario;
  readonly over: Dimension;
  /** Rate of each connection if the search varies connections in an open loop. */
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

/** The target of a search. Starts a command once, and again after trials that may have harmed it. */
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
   * Measures replies per second of a closed loop with many messages in flight.
   * @returns undefined if interrupted
   * @throws TargetError if the target cannot be measured
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

  /** A target that does not restart yields a trial without a measurement. */
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

  /** Returns the URL of the target; starts it if necessary. */
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

/** Returns whether a trial left the target unharmed: after lost messages it may be busy or dead. */
function isUnharmed({ messages, connections, partial }: Result): boolean {
  return messages.lost === 0 && connections.closedEarly === 0 && partial === null;
}

/** Returns the scenario with this load. */
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
