// Makes one measurement: connect, warm up, measure, drain, and build the Result.

import { packageVersion } from "../../src/lib/package.ts";
import { type Route, routeOf } from "../engine/route.ts";
import { type Clock, systemClock } from "../load/clock.ts";
import { Crew } from "../load/crew.ts";
import { Deferred } from "../load/deferred.ts";
import { httpGenerator } from "../load/http-generator.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { Window } from "../load/recorder.ts";
import { type StartGenerator, type StartThread, startWorkerThread } from "../load/threads.ts";
import type { Environment, Result } from "../result/schema.ts";
import type { Threshold } from "../result/threshold.ts";
import { judge } from "../result/verdict.ts";
import type { ClockOffset } from "../target/clock-offset.ts";
import { allowedCpus, describeEnvironment } from "../target/environment.ts";
import { type MachineMark, markMachine } from "../target/machine.ts";
import { readTasks } from "../target/proc.ts";
import type { Sampler } from "../target/sampler.ts";
import { type Locality, locate } from "../target/target.ts";
import { buildMeasurement } from "./measurement.ts";
import { outlineOf, planThreads, type Scenario } from "./scenario.ts";
import { type ProcessUsage, type Watched, watchWindow } from "./watch.ts";

/** Time between the last connection and the start of the load, so that all threads have heard of it. */
const startDelayMs = 20;
const progressIntervalMs = 250;

/** What became of a measurement. `errors` says for each kind what was said the first time. */
export type Outcome =
  | { readonly kind: "measured"; readonly result: Result; readonly errors: ErrorTally }
  | { readonly kind: "nothing"; readonly reason: string; readonly errors: ErrorTally };

/** How it is going. */
export interface Progress {
  readonly phase: "connect" | "wait" | "warmup" | "measure" | "drain";
  readonly openConnections: number;
  readonly requestedConnections: number;
  /** Of the last full second, warm-up included; null before the first one is over. */
  readonly messagesPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errorCount: number;
  /** Until the end of the measured window; while connecting, all that there is of load. */
  readonly leftMs: number;
  readonly totalMs: number;
}

/** The world that a measurement runs in; tests have one of their own. */
export interface World {
  readonly clock: Clock;
  readonly startThread: StartThread;
  readonly processUsage: () => ProcessUsage;
  readonly now: () => Date;
  readonly markMachine: () => MachineMark;
  readonly environment: () => Environment;
  readonly locate: (url: string, route?: Route) => Promise<Locality>;
}

/** The machine as it is. */
export const realWorld: World = {
  clock: systemClock,
  startThread: startWorkerThread,
  processUsage: () => {
    const { user, system } = process.cpuUsage();
    const waitedUs = readTasks("self").reduce((sum, { waitedNs }) => sum + waitedNs / 1000, 0);
    return { cpuUs: user + system, waitedUs, rssBytes: process.memoryUsage.rss() };
  },
  now: () => new Date(),
  markMachine,
  environment: describeEnvironment,
  locate,
};

export interface MeasureOptions {
  /** Where to read how the server is doing. */
  readonly sampler?: Sampler | undefined;
  readonly thresholds?: readonly Threshold[];
  /** When the load is to start, by the wall clock: a moment that several generators share. Default: once connected. */
  readonly startAt?: Date | undefined;
  /** The target's clock against ours, for the Result. */
  readonly clockOffset?: ClockOffset | undefined;
  /** Ends the measurement early; what was measured by then becomes a partial Result. */
  readonly signal?: AbortSignal;
  /** Ends the wait for the last replies; those are then lost. */
  readonly hurry?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly world?: World;
}

/** Measures once. Failures of the target are in the Outcome; only our own reject. */
export async function measure(scenario: Scenario, options: MeasureOptions = {}): Promise<Outcome> {
  const world = options.world ?? realWorld;
  const route = scenario.kind === "http" ? {} : routeOf(scenario.endpoint);
  const locality = await world.locate(outlineOf(scenario).url, route);
  const crew = new Crew(generatorsOf(scenario, locality, world));
  const run = new Run(scenario, options, world, locality, crew);
  try {
    return await run.outcome();
  } finally {
    run.end();
    await crew.terminate();
  }
}

function generatorsOf(scenario: Scenario, { overIpv4Loopback }: Locality, world: World): StartGenerator[] {
  if (scenario.kind === "http") {
    return [httpGenerator(scenario.load, world.clock)];
  }
  const { engine, endpoint } = scenario;
  return planThreads(scenario, overIpv4Loopback).map(
    (plan) => (events) => world.startThread({ engine, endpoint, plan }, events),
  );
}

class Run {
  readonly #scenario: Scenario;
  readonly #options: MeasureOptions;
  readonly #world: World;
  readonly #locality: Locality;
  readonly #crew: Crew;
  readonly #interrupted = new Deferred();
  #isInterrupted = false;
  #window: Window | undefined;
  #stopProgress = (): void => undefined;

  constructor(scenario: Scenario, options: MeasureOptions, world: World, locality: Locality, crew: Crew) {
    this.#scenario = scenario;
    this.#options = options;
    this.#world = world;
    this.#locality = locality;
    this.#crew = crew;
  }

  async outcome(): Promise<Outcome> {
    const { signal } = this.#options;
    const environment = this.#world.environment();
    signal?.addEventListener("abort", this.#interrupt, { once: true });
    this.#options.hurry?.addEventListener("abort", this.#interrupt, { once: true });
    if (signal?.aborted === true) {
      this.#interrupt();
    }
    this.#reportProgress();
    await Promise.race([this.#crew.connected, this.#interrupted.promise]);
    if (this.#isInterrupted) {
      return this.#nothing("the run was interrupted while connecting");
    }
    if (this.#crew.opened === 0) {
      return this.#nothing("no connection could be opened");
    }
    const startNs = this.#startNs();
    if (startNs === undefined) {
      return this.#nothing("not every connection was open when the load was due to start");
    }
    const window = this.#begin(startNs);
    const { sampler } = this.#options;
    const over = Promise.race([this.#interrupted.promise, this.#crew.done]);
    const watched = await watchWindow(window, { ...this.#world, sampler, over });
    await this.#crew.done;
    const untilNs = Math.min(this.#crew.endedNs, window.untilNs);
    return this.#emptyOutcome(window, untilNs) ?? this.#result(window, untilNs, watched, environment);
  }

  end(): void {
    this.#stopProgress();
    this.#options.signal?.removeEventListener("abort", this.#interrupt);
    this.#options.hurry?.removeEventListener("abort", this.#interrupt);
  }

  readonly #interrupt = (): void => {
    this.#isInterrupted = true;
    this.#interrupted.resolve();
    this.#crew.stop();
  };

  /** When the load starts, on the shared clock; undefined when it is too late for that. */
  #startNs(): number | undefined {
    const { clock, now } = this.#world;
    const nowNs = clock.nowNs();
    const earliestNs = nowNs + startDelayMs * 1e6;
    const { startAt } = this.#options;
    if (startAt === undefined) {
      return earliestNs;
    }
    const startNs = nowNs + (startAt.getTime() - now().getTime()) * 1e6;
    return startNs < earliestNs ? undefined : startNs;
  }

  #begin(startNs: number): Window {
    const { warmupMs, durationMs } = this.#scenario;
    const fromNs = startNs + warmupMs * 1e6;
    const window = { startNs, fromNs, untilNs: fromNs + durationMs * 1e6 };
    this.#window = window;
    this.#crew.begin(window);
    return window;
  }

  #emptyOutcome({ fromNs }: Window, untilNs: number): Outcome | undefined {
    const { tally } = this.#crew;
    if (untilNs <= fromNs) {
      return this.#nothing(`${this.#endReason()} before the measured window began`);
    }
    if (tally.answered === 0) {
      const seconds = (untilNs - fromNs) / 1e9 + outlineOf(this.#scenario).timeoutMs / 1000;
      const corrupt = tally.corrupt > 0 ? ` (${tally.corrupt} came back corrupt)` : "";
      return this.#nothing(`no good reply came to ${tally.sent} messages within ${seconds} s${corrupt}`);
    }
    return undefined;
  }

  #result(window: Window, untilNs: number, watched: Watched, environment: Environment): Outcome {
    const crew = this.#crew;
    const measurement = buildMeasurement({
      scenario: this.#scenario,
      engine: engineOf(this.#scenario, environment),
      isLocal: this.#locality.local,
      environment,
      startedAt: watched.startedAt,
      fromNs: window.fromNs,
      untilNs,
      clock: this.#options.clockOffset,
      partialReason: this.#partialReason(untilNs < window.untilNs),
      tally: crew.tally,
      connections: {
        requested: outlineOf(this.#scenario).connections,
        opened: crew.opened,
        failed: crew.failed,
        closedEarly: crew.closedEarly,
      },
      errors: crew.errors,
      clientCpus: allowedCpus("self") ?? [],
      marks: watched,
      crew,
      server: watched.server,
      thresholds: this.#options.thresholds ?? [],
    });
    return { kind: "measured", result: judge(measurement), errors: crew.errors };
  }

  /** A drain that was interrupted leaves messages lost that may have been answered. */
  #partialReason(isShort: boolean): string | null {
    if (isShort) {
      return this.#endReason();
    }
    return this.#isInterrupted && this.#crew.tally.lost > 0
      ? "it was interrupted while it waited for the last replies"
      : null;
  }

  #endReason(): string {
    return this.#isInterrupted ? "it was interrupted" : "the target ended every connection";
  }

  #nothing(reason: string): Outcome {
    return { kind: "nothing", reason, errors: this.#crew.errors };
  }

  #reportProgress(): void {
    const { onProgress } = this.#options;
    if (onProgress !== undefined) {
      onProgress(this.#progress());
      this.#stopProgress = this.#world.clock.callAfterMs(progressIntervalMs, () => this.#reportProgress());
    }
  }

  #progress(): Progress {
    const window = this.#window;
    const { latest } = this.#crew.tally;
    const nowNs = this.#world.clock.nowNs();
    const totalMs = this.#scenario.warmupMs + this.#scenario.durationMs;
    return {
      phase: phaseAt(nowNs, window),
      openConnections: window === undefined ? this.#crew.opened : this.#crew.openConnections,
      requestedConnections: outlineOf(this.#scenario).connections,
      messagesPerSecond: latest.messagesPerSecond,
      p50Us: latest.p50Ns === undefined ? null : latest.p50Ns / 1000,
      p99Us: latest.p99Ns === undefined ? null : latest.p99Ns / 1000,
      errorCount: Object.values(this.#crew.errors).reduce((sum, { count }) => sum + count, 0),
      leftMs: window === undefined ? totalMs : Math.max(0, (window.untilNs - nowNs) / 1e6),
      totalMs,
    };
  }
}

function phaseAt(nowNs: number, window: Window | undefined): Progress["phase"] {
  if (window === undefined) {
    return "connect";
  }
  if (nowNs < window.startNs) {
    return "wait";
  }
  if (nowNs < window.fromNs) {
    return "warmup";
  }
  return nowNs < window.untilNs ? "measure" : "drain";
}

/** What makes the load. The raw engine is part of this package; the others have a version of their own. */
function engineOf(scenario: Scenario, environment: Environment): Result["engine"] {
  const name = scenario.kind === "http" ? "autocannon" : scenario.engine;
  if (name === "raw") {
    return { name, version: environment.versions["uws-echo-bench"] ?? "unknown" };
  }
  return { name, version: packageVersion(name) };
}
