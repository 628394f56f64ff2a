// Runs generators through a timeline: connects, starts all of them together, watches each step, and ends.

import type { Route } from "../engine/route.ts";
import type { Clock } from "../load/clock.ts";
import { Crew, type OnInterval } from "../load/crew.ts";
import { Deferred } from "../load/deferred.ts";
import { type Span, spansFrom } from "../load/recorder.ts";
import type { StartGenerator, StartHttp, StartThread } from "../load/threads.ts";
import type { Environment } from "../result/schema.ts";
import type { Guards, Step } from "../scenario/scenario.ts";
import type { MachineMark } from "../target/machine.ts";
import type { Sampler } from "../target/sampler.ts";
import type { Locality } from "../target/target.ts";
import { type EarlyEnd, Guard } from "./guard.ts";
import { type ProcessUsage, type Watched, watchSpan } from "./watch.ts";

/** Delay between the last connection and the start of the load, so that every thread gets the start message in time. */
const startDelayMs = 20;
const progressIntervalMs = 250;

/** The environment of a measurement: clock, threads, machine. Tests replace it. */
export interface World {
  readonly clock: Clock;
  readonly startThread: StartThread;
  readonly startHttp: StartHttp;
  readonly processUsage: () => ProcessUsage;
  readonly now: () => Date;
  readonly markMachine: () => MachineMark;
  readonly environment: () => Environment;
  readonly locate: (url: string, route?: Route) => Promise<Locality>;
}

/** A start on the wall clock, or what waits for one once all connections are open. */
export type StartAt = Date | ((signal: AbortSignal) => Promise<Date>);

export interface RunOptions {
  readonly world: World;
  readonly starters: readonly StartGenerator[];
  readonly groups: number;
  readonly steps: readonly Step[];
  readonly guards: Guards;
  readonly sampler: Sampler | undefined;
  /** When the timeline begins; undefined: once connected. */
  readonly startAt?: StartAt | undefined;
  /** Called when all connections are open. */
  readonly onReady?: (() => void) | undefined;
  /** Ends the timeline early. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait for the last replies. */
  readonly hurry?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  readonly onStep?: ((step: Step) => void) | undefined;
  readonly onInterval?: OnInterval | undefined;
}

/** The live figures of any run. */
export interface LiveFigures {
  readonly openConnections: number;
  /** Rate of all groups in the last full second; null during the first, or without replies. */
  readonly messagesPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errorCount: number;
  /** Time until the end of the timeline; while connecting, all of it. */
  readonly leftMs: number;
  readonly totalMs: number;
}

export interface RunProgress extends LiveFigures {
  readonly phase: "connect" | "wait" | "step" | "drain";
  /** The current step. */
  readonly step: number | undefined;
}

/** The record of a timeline. */
export interface RunRecord {
  readonly startedAt: Date;
  /** On the shared clock; undefined if the timeline did not begin. */
  readonly startNs: number | undefined;
  readonly untilNs: number;
  /** The planned steps. */
  readonly spans: readonly Span[];
  readonly watched: readonly Watched[];
  readonly endedEarly: EarlyEnd | null;
}

/** Runs one timeline. Call `end` after reading its figures. */
export class Run {
  readonly crew: Crew;
  readonly #options: RunOptions;
  readonly #guard: Guard;
  readonly #stopped = new Deferred();
  #early: EarlyEnd | undefined;
  #spans: readonly Span[] = [];
  /** Ends the wait for a start. */
  readonly #waiting = new AbortController();
  #isReady = false;
  #stopProgress = (): void => undefined;

  /** Starts the generators, which begin to connect at once. */
  constructor(options: RunOptions) {
    const { starters, groups, steps, guards, world } = options;
    this.#options = options;
    this.#guard = new Guard(steps, guards);
    this.crew = new Crew(starters, {
      groups,
      fromNs: world.clock.nowNs(),
      onInterval: options.onInterval,
      onSecond: (second) => {
        const early = this.#guard.judge(second, this.#errorCount());
        if (early !== undefined) {
          this.#stop(early);
        }
      },
    });
  }

  /** Runs the timeline. */
  async record(): Promise<RunRecord> {
    const { signal, hurry } = this.#options;
    signal?.addEventListener("abort", this.#interrupt, { once: true });
    hurry?.addEventListener("abort", this.#interrupt, { once: true });
    if (signal?.aborted === true) {
      this.#interrupt();
    }
    this.#reportProgress();
    await Promise.race([this.crew.connected, this.#stopped.promise]);
    if (this.#early !== undefined) {
      return this.#withoutTimeline(this.#early);
    }
    if (this.crew.opened === 0 && this.crew.failed > 0) {
      return this.#withoutTimeline({ cause: "not-connected", reason: "no connection could be opened" });
    }
    this.#isReady = true;
    this.#options.onReady?.();
    const startAt = await this.#startAt();
    if (this.#early !== undefined) {
      return this.#withoutTimeline(this.#early);
    }
    const startNs = this.#startNs(startAt);
    if (startNs === undefined) {
      return this.#withoutTimeline({
        cause: "late-start",
        reason: "not every connection was open when the load was due to start",
      });
    }
    const startedAt = new Date(
      this.#options.world.now().getTime() + (startNs - this.#options.world.clock.nowNs()) / 1e6,
    );
    const watched = await this.#watch(startNs);
    await this.crew.done;
    const untilNs = Math.min(this.crew.endedNs, this.#endNs);
    const endedEarly = this.#early ?? (untilNs < this.#endNs ? lostAll : null);
    return { startedAt, startNs, untilNs, spans: this.#spans, watched, endedEarly };
  }

  /** Ends the generators. */
  async end(): Promise<void> {
    this.#stopProgress();
    this.#options.signal?.removeEventListener("abort", this.#interrupt);
    this.#options.hurry?.removeEventListener("abort", this.#interrupt);
    await this.crew.terminate();
  }

  readonly #interrupt = (): void => {
    this.#stop({ cause: "interrupted", reason: "it was interrupted" });
  };

  #stop(early: EarlyEnd): void {
    this.#early ??= early;
    this.#stopped.resolve();
    this.#waiting.abort();
    this.crew.stop();
  }

  #withoutTimeline(endedEarly: EarlyEnd): RunRecord {
    const { now, clock } = this.#options.world;
    this.#stop(endedEarly);
    return {
      startedAt: now(),
      startNs: undefined,
      untilNs: clock.nowNs(),
      spans: [],
      watched: [],
      endedEarly,
    };
  }

  /** Waits for the start, if it is not known; undefined if there is none, or the run ends first. */
  async #startAt(): Promise<Date | undefined> {
    const { startAt } = this.#options;
    if (typeof startAt !== "function") {
      return startAt;
    }
    return (await Promise.race([this.#stopped.promise, startAt(this.#waiting.signal)])) ?? undefined;
  }

  /** Start of the timeline on the shared clock; undefined if it has passed. */
  #startNs(startAt: Date | undefined): number | undefined {
    const { world } = this.#options;
    const nowNs = world.clock.nowNs();
    const earliestNs = nowNs + startDelayMs * 1e6;
    if (startAt === undefined) {
      return earliestNs;
    }
    const startNs = nowNs + (startAt.getTime() - world.now().getTime()) * 1e6;
    return startNs < earliestNs ? undefined : startNs;
  }

  async #watch(startNs: number): Promise<Watched[]> {
    const { world, sampler, steps, onStep } = this.#options;
    const stepsMs = steps.map(({ durationMs }) => durationMs);
    this.#spans = spansFrom(startNs, stepsMs);
    this.crew.begin(startNs, stepsMs);
    const over = Promise.race([this.#stopped.promise, this.crew.done]);
    const watched: Watched[] = [];
    for (const [number, span] of this.#spans.entries()) {
      const step = steps[number];
      const onBegin = (): void => {
        if (step !== undefined) {
          onStep?.(step);
        }
      };
      const one = await watchSpan(span, { ...world, sampler, over, onBegin, isFirst: number === 0 });
      watched.push(one);
      if (one.isCutShort) {
        break;
      }
    }
    return watched;
  }

  get #endNs(): number {
    return this.#spans.at(-1)?.untilNs ?? Number.POSITIVE_INFINITY;
  }

  #errorCount(): number {
    return Object.values(this.crew.errors).reduce((sum, { count }) => sum + count, 0);
  }

  #reportProgress(): void {
    const { onProgress, world } = this.#options;
    if (onProgress !== undefined) {
      onProgress(this.#progress());
      this.#stopProgress = world.clock.callAfterMs(progressIntervalMs, () => this.#reportProgress());
    }
  }

  #phaseAt(nowNs: number, step: number): RunProgress["phase"] {
    const first = this.#spans[0];
    if (first === undefined) {
      return this.#isReady ? "wait" : "connect";
    }
    return nowNs < first.fromNs ? "wait" : step < 0 ? "drain" : "step";
  }

  #progress(): RunProgress {
    const { latest } = this.crew;
    const nowNs = this.#options.world.clock.nowNs();
    const totalMs = this.#options.steps.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const at = this.#spans.findIndex(({ fromNs, untilNs }) => nowNs >= fromNs && nowNs < untilNs);
    return {
      phase: this.#phaseAt(nowNs, at),
      step: at < 0 ? undefined : at,
      openConnections: latest === undefined ? this.crew.opened : latest.openConnections,
      messagesPerSecond:
        latest === undefined ? null : (latest.counters.received * 1e9) / (latest.endNs - latest.startNs),
      p50Us: latest?.latencyNs === undefined ? null : latest.latencyNs.p50 / 1000,
      p99Us: latest?.latencyNs === undefined ? null : latest.latencyNs.p99 / 1000,
      errorCount: this.#errorCount(),
      leftMs: this.#spans.length === 0 ? totalMs : Math.max(0, (this.#endNs - nowNs) / 1e6),
      totalMs,
    };
  }
}

/** The generators ended because they lost all connections. */
const lostAll: EarlyEnd = { cause: "target-gone", reason: "the target ended every connection" };
