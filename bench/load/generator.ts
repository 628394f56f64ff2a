// Owns the phases of one generator: connect, wait for the common start, warm up, measure, drain, close.
// Must not know threads, processes or what becomes of its reports.

import type { Connection, ConnectionEvents, Ending, Engine } from "../engine/connection.ts";
import { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { OpenLoop } from "./open-loop.ts";
import { createPacer } from "./pacer.ts";
import type { Plan, Report } from "./plan.ts";
import { type Interval, Recorder, type Window } from "./recorder.ts";

/** Handshakes that one generator has under way at a time, so that a listen backlog is not flooded. */
const connectingLimit = 128;

/** How long the closing handshakes may take, all together. */
const closeTimeoutMs = 1000;

export interface GeneratorOptions {
  readonly plan: Plan;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly report: (report: Report) => void;
  /** CPU time of this thread so far in nanoseconds, or undefined when the system does not tell. */
  readonly threadCpuNs: () => number | undefined;
}

export class Generator implements ConnectionEvents {
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #options: GeneratorOptions;
  readonly #open = new Map<number, Connection>();
  readonly #errors: Record<string, { count: number; detail: string }> = {};
  #phase: "connecting" | "connected" | "loading" | "draining" | "closing" | "done" = "connecting";
  #connectStartNs = 0;
  #started = 0;
  #failed = 0;
  #closedEarly = 0;
  /** Some replies were not waited for: they may still come, late but not unasked. */
  #hasGivenUp = false;
  #recorder: Recorder | undefined;
  #client: Client | undefined;
  #openLoop: OpenLoop | undefined;
  #endedNs = 0;
  #cpuMarkNs: number | undefined;
  #spinMarkNs = 0;
  readonly #pendingTimers = new Set<() => void>();

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#clock = options.clock;
  }

  /** Opens the connections; reports "connected" when each has opened or failed. */
  connect(): void {
    this.#connectStartNs = this.#clock.nowNs();
    this.#connectMore();
  }

  /** Puts load on the connections that are open, over `window`. */
  begin(window: Window): void {
    const { plan } = this.#options;
    const recorder = new Recorder(window, plan.loop.kind, (interval) => this.#reportInterval(interval));
    const client = new Client({
      clock: this.#clock,
      recorder,
      payloads: plan.payloads,
      depth: plan.loop.kind === "closed" ? plan.loop.depth : 0,
      onSurplus: (count) => this.#countSurplus(count),
      onAllSettled: () => this.#finish(),
    });
    this.#recorder = recorder;
    this.#client = client;
    this.#phase = "loading";
    for (const connection of this.#open.values()) {
      client.add(connection);
    }
    this.#callAt(window.startNs, () => this.#startLoad(client, recorder));
    this.#callAt(window.untilNs, () => this.stop());
  }

  /** Sends no more and waits for the replies; before the end of the window this cuts it short. */
  stop(): void {
    if (this.#phase !== "loading") {
      return;
    }
    this.#phase = "draining";
    this.#recorder?.cutShort(this.#clock.nowNs());
    this.#openLoop?.stop();
    this.#callAfterMs(this.#plan.timeoutMs, () => this.#finish());
    this.#client?.stop();
  }

  onOpen(connection: Connection): void {
    if (this.#phase === "done") {
      connection.destroy();
      return;
    }
    this.#open.set(connection.index, connection);
    this.#options.report({ kind: "connecting", opened: this.#open.size });
    this.#connectMore();
  }

  onReplies(connection: Connection, count: number): void {
    if (this.#client === undefined) {
      this.#count("surplus-reply", "a message came before any was sent", count);
    } else if (this.#isLoaded()) {
      this.#client.onReplies(connection, count);
    } else if (!this.#hasGivenUp) {
      this.#countSurplus(count);
    }
  }

  onBadReply(connection: Connection, kind: string, detail: string): void {
    if (this.#isLoaded()) {
      this.#count(kind, detail, 1);
      this.#client?.onBadReply(connection);
    }
  }

  onClosed(index: number, ending: Ending): void {
    const wasOpen = this.#open.delete(index);
    if (this.#phase === "closing" || this.#phase === "done") {
      this.#reportDoneWhenClosed();
      return;
    }
    this.#count(ending.kind, ending.detail, 1);
    if (!wasOpen) {
      this.#failed += 1;
      this.#connectMore();
      return;
    }
    this.#closedEarly += 1;
    this.#client?.remove(index);
    if (this.#phase === "loading" && this.#open.size === 0) {
      this.stop();
    } else if (this.#phase === "connecting") {
      this.#connectMore();
    }
  }

  #isLoaded(): boolean {
    return this.#phase === "loading" || this.#phase === "draining";
  }

  #connectMore(): void {
    const { connections, connectionsPerSecond, localAddresses, thread } = this.#plan;
    if (this.#phase !== "connecting") {
      return;
    }
    const settled = (): number => this.#open.size + this.#failed + this.#closedEarly;
    while (this.#started < connections && this.#started - settled() < connectingLimit) {
      if (connectionsPerSecond !== undefined) {
        const dueNs = this.#connectStartNs + (this.#started * thread.count * 1e9) / connectionsPerSecond;
        if (dueNs > this.#clock.nowNs()) {
          this.#callAt(dueNs, () => this.#connectMore());
          return;
        }
      }
      const index = this.#started;
      this.#started += 1;
      this.#options.engine(index, localAddresses[index % Math.max(1, localAddresses.length)], this);
    }
    if (settled() === connections) {
      this.#phase = "connected";
      this.#options.report({
        kind: "connected",
        opened: this.#open.size + this.#closedEarly,
        failed: this.#failed,
        errors: this.#errors,
      });
    }
  }

  #startLoad(client: Client, recorder: Recorder): void {
    if (this.#open.size === 0) {
      this.stop();
      return;
    }
    this.#cpuMarkNs = this.#options.threadCpuNs();
    this.#rollAtBoundaries(recorder);
    client.start();
    const { loop, thread } = this.#plan;
    if (loop.kind === "open") {
      const pacer = createPacer(loop.arrivals, loop.ratePerSecond, recorder.window.startNs, thread);
      this.#openLoop = new OpenLoop({ client, clock: this.#clock, pacer, recorder });
      this.#openLoop.start();
    }
  }

  /** Replies close the intervals that are over; this does when none come. */
  #rollAtBoundaries(recorder: Recorder): void {
    recorder.roll(this.#clock.nowNs());
    if (this.#phase === "loading" && recorder.boundaryNs < recorder.untilNs) {
      this.#callAt(recorder.boundaryNs, () => this.#rollAtBoundaries(recorder));
    }
  }

  #reportInterval(interval: Interval): void {
    const cpuNs = this.#options.threadCpuNs();
    const spinNs = this.#openLoop?.idleSpinNs ?? 0;
    const idleSpinNs = spinNs - this.#spinMarkNs;
    const isKnown = cpuNs !== undefined && this.#cpuMarkNs !== undefined;
    this.#options.report({
      kind: "interval",
      interval,
      cpuNs: isKnown ? Math.max(0, cpuNs - (this.#cpuMarkNs ?? 0) - idleSpinNs) : undefined,
      idleSpinNs,
      openConnections: this.#open.size,
      errors: this.#errors,
    });
    this.#cpuMarkNs = cpuNs;
    this.#spinMarkNs = spinNs;
  }

  /** All is settled, or has had its time. */
  #finish(): void {
    if (this.#phase !== "draining") {
      return;
    }
    this.#phase = "closing";
    this.#hasGivenUp = (this.#client?.inFlight ?? 0) > 0;
    this.#client?.abandon();
    this.#endedNs = this.#recorder?.untilNs ?? 0;
    this.#recorder?.finish(this.#clock.nowNs());
    this.#cancelTimers();
    for (const connection of [...this.#open.values()]) {
      connection.close();
    }
    this.#callAfterMs(closeTimeoutMs, () => {
      for (const connection of [...this.#open.values()]) {
        connection.destroy();
      }
    });
    this.#reportDoneWhenClosed();
  }

  #reportDoneWhenClosed(): void {
    if (this.#phase !== "closing" || this.#open.size > 0) {
      return;
    }
    this.#phase = "done";
    this.#cancelTimers();
    this.#options.report({
      kind: "done",
      closedEarly: this.#closedEarly,
      endedNs: this.#endedNs,
      errors: this.#errors,
    });
  }

  #countSurplus(count: number): void {
    this.#count("surplus-reply", "more replies came than messages were sent", count);
  }

  #count(kind: string, detail: string, count: number): void {
    const error = this.#errors[kind];
    if (error === undefined) {
      this.#errors[kind] = { count, detail };
    } else {
      error.count += count;
    }
  }

  #callAt(timeNs: number, callback: () => void): void {
    const delayMs = Math.ceil((timeNs - this.#clock.nowNs()) / 1e6);
    const again = (): void => {
      if (this.#clock.nowNs() < timeNs) {
        this.#clock.callSoon(again); // A timer may fire a little early.
      } else {
        callback();
      }
    };
    this.#callAfterMs(Math.max(0, delayMs), again);
  }

  #callAfterMs(delayMs: number, callback: () => void): void {
    const cancel = this.#clock.callAfterMs(delayMs, () => {
      this.#pendingTimers.delete(cancel);
      callback();
    });
    this.#pendingTimers.add(cancel);
  }

  #cancelTimers(): void {
    for (const cancel of this.#pendingTimers) {
      cancel();
    }
    this.#pendingTimers.clear();
  }
}
