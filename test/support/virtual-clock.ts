// A clock that moves only when a test says so, from one planned call to the next.

import { setImmediate as macrotask } from "node:timers/promises";
import type { PreciseClock } from "../../bench/load/clock.ts";

interface Planned {
  readonly atNs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class VirtualClock implements PreciseClock {
  #nowNs = 1e9;
  #order = 0;
  #planned: Planned[] = [];
  /** Requested turns of the event loop. */
  soonCalls = 0;
  readonly #soonNs: number;

  /** @param soonNs duration of one turn of the event loop */
  constructor(soonNs = 250_000) {
    this.#soonNs = soonNs;
  }

  nowNs(): number {
    return this.#nowNs;
  }

  /** Lets time pass without calls: the running code is busy. */
  spend(durationNs: number): void {
    this.#nowNs += durationNs;
  }

  callAtNs(atNs: number, callback: () => void): () => void {
    const planned = { atNs, order: this.#order, callback };
    this.#order += 1;
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned);
    };
  }

  callAfterMs(delayMs: number, callback: () => void): () => void {
    return this.callAtNs(this.#nowNs + delayMs * 1e6, callback);
  }

  callSoon(callback: () => void): void {
    this.soonCalls += 1;
    this.callAtNs(this.#nowNs + this.#soonNs, callback);
  }

  /** Lets time pass until the promise is settled. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await macrotask(); // Promises that depend on the last call get their turn.
      if (isSettled) {
        return promise;
      }
      const next = this.#takeNext();
      if (next === undefined) {
        throw new Error("nothing is planned, so the promise will never settle");
      }
      this.#nowNs = Math.max(this.#nowNs, next.atNs);
      next.callback();
    }
  }

  #takeNext(): Planned | undefined {
    const first = this.#planned.reduce<Planned | undefined>(
      (best, each) =>
        best === undefined || each.atNs < best.atNs || (each.atNs === best.atNs && each.order < best.order)
          ? each
          : best,
      undefined,
    );
    this.#planned = this.#planned.filter((planned) => planned !== first);
    return first;
  }
}
