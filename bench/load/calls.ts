// Plans several calls on a clock that takes one at a time.

import type { PreciseClock } from "./clock.ts";

/** A call that can be planned again and again. */
export interface Call {
  /** Calls once, at `atNs` or a little later; replaces the planned call. */
  at(atNs: number): void;
  cancel(): void;
}

export class Calls {
  readonly #clock: PreciseClock;
  readonly #calls: PlannedCall[] = [];
  #armedNs = Number.POSITIVE_INFINITY;
  #isCalling = false;
  #disarm = (): void => undefined;

  constructor(clock: PreciseClock) {
    this.#clock = clock;
  }

  create(callback: () => void): Call {
    const call = new PlannedCall(callback, (atNs) => this.#arm(atNs));
    this.#calls.push(call);
    return call;
  }

  /** Cancels all calls. */
  close(): void {
    this.#disarm();
    this.#calls.length = 0;
  }

  #arm(atNs: number): void {
    if (!this.#isCalling && atNs < this.#armedNs) {
      this.#disarm();
      this.#armedNs = atNs;
      this.#disarm = this.#clock.callAtNs(atNs, this.#onTime);
    }
  }

  readonly #onTime = (): void => {
    const nowNs = this.#clock.nowNs();
    this.#armedNs = Number.POSITIVE_INFINITY;
    this.#isCalling = true;
    for (const call of this.#calls) {
      if (call.atNs <= nowNs) {
        call.run();
      }
    }
    this.#isCalling = false;
    let nextNs = Number.POSITIVE_INFINITY;
    for (const call of this.#calls) {
      nextNs = Math.min(nextNs, call.atNs);
    }
    if (nextNs < Number.POSITIVE_INFINITY) {
      this.#arm(nextNs);
    }
  };
}

class PlannedCall implements Call {
  readonly #callback: () => void;
  readonly #onPlanned: (atNs: number) => void;
  /** Infinity for not planned. */
  atNs = Number.POSITIVE_INFINITY;

  constructor(callback: () => void, onPlanned: (atNs: number) => void) {
    this.#callback = callback;
    this.#onPlanned = onPlanned;
  }

  at(atNs: number): void {
    this.atNs = atNs;
    this.#onPlanned(atNs);
  }

  cancel(): void {
    this.atNs = Number.POSITIVE_INFINITY;
  }

  run(): void {
    this.atNs = Number.POSITIVE_INFINITY;
    this.#callback();
  }
}
