// Runs the phases of one generator: connect, wait for the common start, run the steps, drain, close.

import { createRandom, mixSeeds } from "../../src/lib/random.ts";
import type { Engine } from "../engine/connection.ts";
import { largestOf } from "../scenario/curve.ts";
import { Calls } from "./calls.ts";
import type { PreciseClock } from "./clock.ts";
import { ErrorCounter } from "./errors.ts";
import { Group } from "./group.ts";
import type { HiccupMeter } from "./hiccups.ts";
import type { GroupPlan, Plan, Report } from "./plan.ts";
import { type Interval, type Span, spansFrom } from "./recorder.ts";
import { Timers } from "./timers.ts";

/** Timeout of all closing handshakes together. */
const closeTimeoutMs = 1000;
/** Interval of the search for timed-out messages: this share of the timeout, within these bounds. */
const sweep = { share: 0.05, leastMs: 10, mostMs: 500 };

export interface GeneratorOptions {
  readonly plan: Plan;
  readonly createEngine: (group: GroupPlan) => Engine;
  readonly clock: PreciseClock;
  readonly report: (report: Report) => void;
  /** CPU time of this thread so far in nanoseconds; undefined if unknown. */
  readonly threadCpuNs: () => number | undefined;
  /** Monitors the event loop of this thread if there is no schedule. */
  readonly hiccups?: HiccupMeter;
}

export class Generator {
  readonly #options: GeneratorOptions;
  readonly #clock: PreciseClock;
  readonly #calls: Calls;
  readonly #timers: Timers;
  readonly #groups: readonly Group[];
  readonly #errors = new ErrorCounter();
  readonly #hiccups: HiccupMeter | undefined;
  #steps: Span[] = [];
  /** The current step; undefined before and after the timeline. */
  #step: number | undefined;
  #phase: "connecting" | "connected" | "running" | "draining" | "closing" | "done" = "connecting";
  #unconnected: number;
  #unsettled: number;
  #untilNs = 0;
  #connectNs = 0;
  #cpuMarkNs: number | undefined;
  #cancelRoll = (): void => undefined;

  constructor(options: GeneratorOptions) {
    const { plan, clock, createEngine, threadCpuNs } = options;
    this.#options = options;
    this.#clock = clock;
    this.#calls = new Calls(clock);
    this.#timers = new Timers(clock);
    this.#unconnected = plan.groups.length;
    this.#unsettled = plan.groups.length;
    this.#cpuMarkNs = threadCpuNs();
    const isClosedLoop = plan.groups
      .filter(({ population }) => largestOf(population.size) > 0)
      .every(({ traffic }) => traffic.kind === "echo" && traffic.loop.kind === "closed");
    this.#hiccups = isClosedLoop ? options.hiccups : undefined;
    this.#groups = plan.groups.map(
      (group, number) =>
        new Group({
          plan,
          group,
          engine: createEngine(group),
          clock,
          calls: this.#calls,
          timers: this.#timers,
          // A separate source, so that groups do not depend on each other.
          random: createRandom(mixSeeds(plan.seed, number)),
          onInterval: (step, interval) => this.#reportInterval(number, step, interval),
          countError: (kind, detail, count) => this.#errors.count(kind, detail, count),
          onConnected: () => this.#onConnected(),
          onOpen: () => this.#reportConnecting(),
          onSettled: () => this.#onSettled(),
          onClosed: () => this.#onClosed(),
        }),
    );
  }

  /** Opens the connections that are due at the start; reports "connected" when each has opened or failed. */
  connect(): void {
    this.#connectNs = this.#clock.nowNs();
    for (const group of this.#groups) {
      group.population.open();
    }
    this.#rollAtBoundaries();
  }

  /** Runs the steps from `startNs` on. */
  begin(startNs: number): void {
    this.#steps = spansFrom(startNs, this.#options.plan.stepsMs);
    this.#untilNs = this.#steps.at(-1)?.untilNs ?? startNs;
    this.#phase = "running";
    for (const group of this.#groups) {
      group.begin(this.#steps);
    }
    this.#rollAtBoundaries();
    this.#timers.callAt(startNs, () => this.#start(startNs));
    this.#timers.callAt(this.#untilNs, () => this.#endLoad());
    this.#sweep();
  }

  /** Ends the load early and waits for replies; a second call ends the wait. */
  stop(): void {
    if (this.#phase === "draining") {
      this.#finish();
    } else {
      this.#endLoad();
    }
  }

  #onConnected(): void {
    this.#unconnected -= 1;
    if (this.#unconnected === 0) {
      this.#phase = "connected";
      this.#options.report({
        kind: "connected",
        opened: this.#sum(({ population }) => population.opened),
        failed: this.#sum(({ population }) => population.failed),
        span: {
          fromNs: this.#connectNs,
          untilNs: Math.max(...this.#groups.map(({ population }) => population.lastOpenedNs)),
        },
        errors: this.#errors.tally,
      });
    }
  }

  #reportConnecting(): void {
    if (this.#phase === "connecting") {
      this.#options.report({ kind: "connecting", opened: this.#sum(({ population }) => population.opened) });
    }
  }

  #start(startNs: number): void {
    if (this.#isExhausted()) {
      this.#endLoad();
      return;
    }
    this.#cpuMarkNs = this.#options.threadCpuNs();
    this.#beginStep(0);
    for (const group of this.#groups) {
      group.start(startNs);
      group.beginStep(startNs);
    }
  }

  #beginStep(number: number): void {
    const step = this.#steps[number];
    if (step === undefined || this.#phase !== "running") {
      return;
    }
    this.#step = number;
    this.#hiccups?.start();
    if (number > 0) {
      for (const group of this.#groups) {
        group.beginStep(step.fromNs);
      }
    }
    this.#timers.callAt(step.untilNs, () => {
      if (this.#phase === "running") {
        this.#endStep(step.untilNs);
        this.#beginStep(number + 1);
      }
    });
  }

  #endStep(untilNs: number): void {
    if (this.#step !== undefined) {
      this.#options.report({
        kind: "step",
        step: this.#step,
        groups: this.#groups.map((group) => group.endStep(untilNs)),
        hiccups: this.#hiccups?.stop(),
      });
      this.#step = undefined;
    }
  }

  /** Stops sending and waits for replies; before its end, this cuts the timeline short. */
  #endLoad(): void {
    if (this.#phase !== "running" && this.#phase !== "connected" && this.#phase !== "connecting") {
      return;
    }
    this.#phase = "draining";
    const nowNs = this.#clock.nowNs();
    this.#untilNs = Math.min(this.#untilNs, nowNs);
    for (const group of this.#groups) {
      group.ledger.cutShort(nowNs);
    }
    this.#endStep(this.#untilNs);
    this.#timers.callAfterMs(this.#options.plan.timeoutMs, () => this.#finish());
    for (const group of this.#groups) {
      group.stop();
    }
  }

  #onSettled(): void {
    this.#unsettled -= 1;
    if (this.#unsettled === 0) {
      this.#finish();
    }
  }

  /** Closes completed intervals when no replies arrive to do it. */
  #rollAtBoundaries(): void {
    const nowNs = this.#clock.nowNs();
    let nextNs = Number.POSITIVE_INFINITY;
    for (const { ledger } of this.#groups) {
      ledger.roll(nowNs);
      nextNs = Math.min(nextNs, ledger.boundaryNs);
    }
    this.#cancelRoll();
    if (nextNs < Number.POSITIVE_INFINITY) {
      this.#cancelRoll = this.#timers.callAt(nextNs, () => this.#rollAtBoundaries());
    }
  }

  #sweep(): void {
    const { share, leastMs, mostMs } = sweep;
    const periodMs = Math.min(mostMs, Math.max(leastMs, share * this.#options.plan.timeoutMs));
    this.#timers.callAfterMs(periodMs, () => {
      if (this.#phase === "running" || this.#phase === "draining") {
        const nowNs = this.#clock.nowNs();
        for (const { traffic } of this.#groups) {
          traffic.sweep(nowNs);
        }
        this.#sweep();
      }
    });
  }

  #reportInterval(group: number, step: number, interval: Interval): void {
    const population = this.#groups[group]?.population;
    this.#options.report({
      kind: "interval",
      group,
      step,
      interval,
      cpuNs: interval.phase === "step" ? this.#takeCpuNs() : undefined,
      openConnections: population?.openConnections ?? 0,
      absentClients: population?.absentClients ?? 0,
      errors: this.#errors.tally,
    });
  }

  #takeCpuNs(): number | undefined {
    const cpuNs = this.#options.threadCpuNs();
    const markNs = this.#cpuMarkNs;
    this.#cpuMarkNs = cpuNs;
    return cpuNs === undefined || markNs === undefined ? undefined : Math.max(0, cpuNs - markNs);
  }

  /** Ends when all messages are settled or have timed out. */
  #finish(): void {
    if (this.#phase !== "draining") {
      return;
    }
    this.#phase = "closing";
    this.#calls.close();
    this.#timers.cancelAll();
    const nowNs = this.#clock.nowNs();
    for (const group of this.#groups) {
      group.close();
      group.ledger.finish(nowNs);
    }
    this.#timers.callAfterMs(closeTimeoutMs, () => {
      for (const group of this.#groups) {
        group.destroy();
      }
    });
    this.#reportDoneWhenClosed();
  }

  #onClosed(): void {
    if (this.#phase === "closing" || this.#phase === "done") {
      this.#reportDoneWhenClosed();
    } else if (this.#phase === "running" && this.#isExhausted()) {
      this.#endLoad();
    }
  }

  /** Every client has lost its connection for good. Without clients in the plan, the timeline continues. */
  #isExhausted(): boolean {
    return (
      this.#groups.some(({ population }) => population.goneClients > 0) &&
      this.#groups.every(({ population }) => population.isOver)
    );
  }

  #reportDoneWhenClosed(): void {
    if (this.#phase !== "closing" || this.#groups.some(({ isClosed }) => !isClosed)) {
      return;
    }
    this.#phase = "done";
    this.#timers.cancelAll();
    this.#options.report({ kind: "done", endedNs: this.#untilNs, errors: this.#errors.tally });
  }

  #sum(read: (group: Group) => number): number {
    return this.#groups.reduce((total, group) => total + read(group), 0);
  }
}
