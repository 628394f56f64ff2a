// The phases of one generator: connect, wait for the common start, warm up, measure, drain, close.

import type { Connection, ConnectionEvents, Ending, Engine } from "../engine/connection.ts";
import { Client } from "./client.ts";
import type { PreciseClock } from "./clock.ts";
import { Connector } from "./connector.ts";
import { Dispersion } from "./dispersion.ts";
import { ErrorCounter } from "./errors.ts";
import type { HiccupMeter } from "./hiccups.ts";
import { OpenLoop } from "./open-loop.ts";
import { createPacer } from "./pacer.ts";
import type { Hiccups, Plan, Report } from "./plan.ts";
import { type Interval, Recorder, type Window } from "./recorder.ts";
import { Timers } from "./timers.ts";
import { WireMeter } from "./wire.ts";

/** How long the closing handshakes may take, all together. */
const closeTimeoutMs = 1000;
/** How often messages that wait too long are looked for: in this part of the time-out, within these bounds. */
const sweep = { share: 0.05, leastMs: 10, mostMs: 500 };

export interface GeneratorOptions {
  readonly plan: Plan;
  readonly engine: Engine;
  readonly clock: PreciseClock;
  readonly report: (report: Report) => void;
  /** CPU time of this thread so far in nanoseconds, or undefined when the system does not tell. */
  readonly threadCpuNs: () => number | undefined;
  /** Watches the event loop of this thread in a closed loop. */
  readonly hiccups?: HiccupMeter;
}

export class Generator implements ConnectionEvents {
  readonly #plan: Plan;
  readonly #clock: PreciseClock;
  readonly #options: GeneratorOptions;
  readonly #connector: Connector;
  readonly #timers: Timers;
  readonly #errors = new ErrorCounter();
  readonly #open = new Map<number, Connection>();
  readonly #wire = new WireMeter(this.#open);
  #phase: "connecting" | "connected" | "loading" | "draining" | "closing" | "done" = "connecting";
  #failed = 0;
  #closedEarly = 0;
  /** Some replies were not waited for: they may still come, late but not unasked. */
  #hasGivenUp = false;
  #recorder: Recorder | undefined;
  #client: Client | undefined;
  #openLoop: OpenLoop | undefined;
  #dispersion: Dispersion | undefined;
  #hiccups: Hiccups | undefined;
  #cpuMarkNs: number | undefined;

  constructor(options: GeneratorOptions) {
    const { plan, clock, engine } = options;
    this.#options = options;
    this.#plan = plan;
    this.#clock = clock;
    this.#timers = new Timers(clock);
    this.#connector = new Connector({
      plan,
      clock,
      connect: (index, localAddress) => engine(index, localAddress, this),
      onGivenUp: (count) => {
        this.#failed += count;
        this.#errors.count(
          "not-tried",
          `no connection was answered within ${plan.timeoutMs} ms, so the others were not tried`,
          count,
        );
      },
      onSettled: () => this.#reportConnected(),
    });
  }

  /** Opens the connections; reports "connected" when each has opened or failed. */
  connect(): void {
    this.#connector.start();
  }

  /** Puts load on the connections that are open, over `window`. */
  begin(window: Window): void {
    const { plan } = this.#options;
    const recorder = new Recorder(window, plan.loop.kind, (interval) => this.#reportInterval(interval));
    const client = new Client({
      clock: this.#clock,
      recorder,
      payloads: plan.payloads,
      timeoutMs: plan.timeoutMs,
      depth: plan.loop.kind === "closed" ? plan.loop.depth : 0,
      onFirstEcho: (tookNs) => this.#connector.onFirstEcho(tookNs),
      onSurplus: (count) => this.#countSurplus(count),
      onAllSettled: () => this.#finish(),
    });
    this.#recorder = recorder;
    this.#client = client;
    this.#phase = "loading";
    for (const connection of this.#open.values()) {
      client.add(connection);
    }
    this.#timers.callAt(window.startNs, () => this.#startLoad(client, recorder));
    this.#timers.callAt(window.fromNs, () => {
      this.#wire.start();
      if (plan.loop.kind === "closed") {
        this.#options.hiccups?.start();
      }
    });
    this.#timers.callAt(window.untilNs, () => this.#endLoad());
    this.#sweep(client);
  }

  /** Ends the load before its time, but waits for the replies; asked again, or later, it waits no longer. */
  stop(): void {
    if (this.#phase === "draining") {
      this.#finish();
    } else {
      this.#endLoad();
    }
  }

  onStage(index: number, stage: "connected" | "secured"): void {
    this.#connector.onStage(index, stage);
  }

  onOpen(connection: Connection): void {
    if (this.#phase === "done") {
      connection.destroy();
      return;
    }
    this.#open.set(connection.index, connection);
    this.#options.report({ kind: "connecting", opened: this.#open.size });
    this.#connector.onOpen(connection.index, connection.isCompressed);
  }

  onReplies(connection: Connection, count: number): void {
    if (this.#client !== undefined && this.#isLoaded()) {
      this.#client.onReplies(connection, count);
    } else if (!this.#hasGivenUp) {
      this.#countSurplus(count);
    }
  }

  onBadReply(connection: Connection, kind: string, detail: string): void {
    if (this.#isLoaded()) {
      this.#errors.count(kind, detail);
      this.#client?.onBadReply(connection);
    }
  }

  onUnasked(_connection: Connection, kind: string, detail: string): void {
    if (!this.#hasGivenUp) {
      this.#errors.count(kind, detail);
    }
  }

  onMissing(connection: Connection, count: number): void {
    if (this.#isLoaded()) {
      this.#client?.onMissing(connection, count);
    }
  }

  onClosed(index: number, ending: Ending): void {
    const connection = this.#open.get(index);
    this.#open.delete(index);
    if (this.#phase === "closing" || this.#phase === "done") {
      this.#reportDoneWhenClosed();
      return;
    }
    this.#errors.count(ending.kind, ending.detail);
    if (connection === undefined) {
      this.#failed += 1;
      this.#connector.onFailed(index, ending.kind === "handshake-timeout");
      return;
    }
    this.#wire.closed(connection);
    this.#closedEarly += 1;
    this.#client?.remove(index);
    if (this.#phase === "loading" && this.#open.size === 0) {
      this.#endLoad();
    }
  }

  #isLoaded(): boolean {
    return this.#phase === "loading" || this.#phase === "draining";
  }

  #reportConnected(): void {
    this.#phase = "connected";
    this.#options.report({
      kind: "connected",
      opened: this.#open.size + this.#closedEarly,
      failed: this.#failed,
      errors: this.#errors.tally,
    });
  }

  #startLoad(client: Client, recorder: Recorder): void {
    if (this.#open.size === 0) {
      this.#endLoad();
      return;
    }
    this.#cpuMarkNs = this.#options.threadCpuNs();
    this.#rollAtBoundaries(recorder);
    client.start();
    const { loop, thread } = this.#plan;
    if (loop.kind === "open") {
      const pacer = createPacer(loop.arrivals, loop.ratePerSecond, recorder.window.startNs, this.#plan);
      const dispersion = new Dispersion(recorder.window.fromNs, (thread.count * 1e9) / loop.ratePerSecond);
      this.#dispersion = dispersion;
      this.#openLoop = new OpenLoop({ client, clock: this.#clock, pacer, recorder, dispersion });
      this.#openLoop.start();
    }
  }

  /** Sends no more and waits for the replies; before the end of the window this cuts it short. */
  #endLoad(): void {
    if (this.#phase !== "loading") {
      return;
    }
    this.#phase = "draining";
    this.#recorder?.cutShort(this.#clock.nowNs());
    this.#openLoop?.stop();
    this.#wire.stop();
    this.#hiccups = this.#plan.loop.kind === "closed" ? this.#options.hiccups?.stop() : undefined;
    this.#timers.callAfterMs(this.#plan.timeoutMs, () => this.#finish());
    this.#client?.stop();
  }

  /** Replies close the intervals that are over; this does when none come. */
  #rollAtBoundaries(recorder: Recorder): void {
    recorder.roll(this.#clock.nowNs());
    if (this.#phase === "loading" && recorder.boundaryNs < recorder.untilNs) {
      this.#timers.callAt(recorder.boundaryNs, () => this.#rollAtBoundaries(recorder));
    }
  }

  #sweep(client: Client): void {
    const { share, leastMs, mostMs } = sweep;
    const periodMs = Math.min(mostMs, Math.max(leastMs, share * this.#plan.timeoutMs));
    this.#timers.callAfterMs(periodMs, () => {
      if (this.#isLoaded()) {
        client.sweep(this.#clock.nowNs());
        this.#sweep(client);
      }
    });
  }

  #reportInterval(interval: Interval): void {
    const cpuNs = this.#options.threadCpuNs();
    const isKnown = cpuNs !== undefined && this.#cpuMarkNs !== undefined;
    this.#options.report({
      kind: "interval",
      interval,
      cpuNs: isKnown ? Math.max(0, cpuNs - (this.#cpuMarkNs ?? 0)) : undefined,
      openConnections: this.#open.size,
      errors: this.#errors.tally,
    });
    this.#cpuMarkNs = cpuNs;
  }

  /** All is settled, or has had its time. */
  #finish(): void {
    if (this.#phase !== "draining") {
      return;
    }
    this.#phase = "closing";
    this.#hasGivenUp = (this.#client?.hasGivenUp ?? false) || (this.#client?.inFlight ?? 0) > 0;
    this.#client?.abandon();
    this.#recorder?.finish(this.#clock.nowNs());
    this.#timers.cancelAll();
    for (const connection of [...this.#open.values()]) {
      connection.close();
    }
    this.#timers.callAfterMs(closeTimeoutMs, () => {
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
    this.#timers.cancelAll();
    const endedNs = this.#recorder?.untilNs ?? 0;
    this.#options.report({
      kind: "done",
      closedEarly: this.#closedEarly,
      connects: this.#connector.finish(),
      wire: this.#wire.counted,
      dispersion: this.#dispersion?.finish(endedNs),
      hiccups: this.#hiccups,
      endedNs,
      errors: this.#errors.tally,
    });
  }

  #countSurplus(count: number): void {
    this.#errors.count("surplus-reply", "more replies came than messages were sent", count);
  }
}
