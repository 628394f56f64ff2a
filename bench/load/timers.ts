// The timers of one generator, so that all of them can be cancelled at once.

import type { Clock } from "./clock.ts";

export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls at `timeNs` or a little later. Returns a function that cancels the call. */
  callAt(timeNs: number, callback: () => void): () => void {
    let isCancelled = false;
    const delayMs = Math.ceil((timeNs - this.#clock.nowNs()) / 1e6);
    const again = (): void => {
      if (isCancelled) {
        return;
      }
      if (this.#clock.nowNs() < timeNs) {
        this.#clock.callSoon(again); // A timer may fire a little early.
      } else {
        callback();
      }
    };
    const cancel = this.callAfterMs(Math.max(0, delayMs), again);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Returns what cancels it. */
  callAfterMs(delayMs: number, callback: () => void): () => void {
    const cancel = this.#clock.callAfterMs(delayMs, () => {
      this.#pending.delete(cancel);
      callback();
    });
    this.#pending.add(cancel);
    return () => {
      this.#pending.delete(cancel);
      cancel();
    };
  }

  cancelAll(): void {
    for (const cancel of this.#pending) {
      cancel();
    }
    this.#pending.clear();
  }
}
