// Opens the connections of one generator: at the asked pace, without waiting for handshakes, or else as fast as they
// complete, with no more in progress than a listen backlog holds.

import type { PreciseClock } from "./clock.ts";
import type { ConnectReport } from "./connects.ts";
import { ConnectRecorder } from "./connects.ts";
import type { Plan } from "./plan.ts";

/** Without a pace: handshakes under way at a time. */
const connectingLimit = 128;

export interface ConnectorOptions {
  readonly plan: Plan;
  readonly clock: PreciseClock;
  /** Begins to open one connection. */
  readonly connect: (index: number, localAddress: string | undefined) => void;
  /** So many were not tried: nobody answers. */
  readonly onGivenUp: (count: number) => void;
  /** Each connection has opened or failed. */
  readonly onSettled: () => void;
}

export class Connector {
  readonly #options: ConnectorOptions;
  readonly #recorder = new ConnectRecorder();
  #startNs = 0;
  #lastOpenedNs = 0;
  #started = 0;
  #settled = 0;
  #isOver = false;
  #cancel = (): void => undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#startNs = this.#options.clock.nowNs();
    this.#lastOpenedNs = this.#startNs;
    this.#more();
  }

  /** Begins no more connections. */
  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  onStage(index: number, stage: "connected" | "secured"): void {
    this.#recorder.reached(index, stage === "connected" ? "tcp" : "tls", this.#options.clock.nowNs());
  }

  onOpen(index: number, isCompressed: boolean): void {
    const nowNs = this.#options.clock.nowNs();
    this.#recorder.reached(index, "upgrade", nowNs);
    this.#recorder.compressed += isCompressed ? 1 : 0;
    this.#lastOpenedNs = nowNs;
    this.#settle();
  }

  /** A connection could not be opened. */
  onFailed(index: number, isTimeout: boolean): void {
    this.#recorder.failed(index);
    this.#settled += 1;
    const silentNs = this.#options.clock.nowNs() - this.#lastOpenedNs;
    const left = this.#options.plan.connections - this.#started;
    if (isTimeout && left > 0 && silentNs >= this.#options.plan.timeoutMs * 1e6) {
      this.#cancel();
      this.#started += left;
      this.#settled += left;
      this.#options.onGivenUp(left);
    }
    this.#more();
  }

  onFirstEcho(tookNs: number): void {
    this.#recorder.echoed(tookNs);
  }

  finish(): ConnectReport {
    return this.#recorder.finish();
  }

  #settle(): void {
    this.#settled += 1;
    this.#more();
  }

  #more(): void {
    if (this.#isOver) {
      return;
    }
    const { plan, clock, onSettled } = this.#options;
    if (plan.connectionsPerSecond === undefined) {
      while (this.#started < plan.connections && this.#started - this.#settled < connectingLimit) {
        this.#begin(clock.nowNs());
      }
    } else {
      this.#beginDue(plan.connectionsPerSecond);
    }
    if (this.#settled === plan.connections && !this.#isOver) {
      this.#isOver = true;
      onSettled();
    }
  }

  /** Generators take turns in the schedule that they share. */
  #beginDue(perSecond: number): void {
    const { plan, clock } = this.#options;
    this.#cancel();
    while (this.#started < plan.connections) {
      const turn = this.#started * plan.thread.count + plan.thread.index;
      const dueNs = this.#startNs + (turn * 1e9) / perSecond;
      if (dueNs > clock.nowNs()) {
        this.#cancel = clock.callAtNs(dueNs, () => this.#more());
        return;
      }
      this.#begin(dueNs);
    }
  }

  #begin(dueNs: number): void {
    const { plan, clock, connect } = this.#options;
    const index = this.#started;
    this.#started += 1;
    this.#recorder.began(index, dueNs, clock.nowNs());
    connect(index, plan.localAddresses[index % Math.max(1, plan.localAddresses.length)]);
  }
}
