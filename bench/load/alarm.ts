// Wakes an event loop with microsecond precision without spinning: Node's timers have a resolution of 1 ms.
// A helper thread sleeps in Atomics.wait, whose timeout has microseconds, and its message wakes the loop.

import type { Worker } from "node:worker_threads";
import { type Clock, type PreciseClock, systemClock } from "./clock.ts";
import { openThread } from "./thread-file.ts";

/** Memory shared by an alarm and its helper thread: a sequence number to wait on, and its time. */
export type AlarmMemory = SharedArrayBuffer;

export function openAlarmMemory(memory: AlarmMemory): { sequence: Int32Array; atNs: Float64Array } {
  return { sequence: new Int32Array(memory, 0, 1), atNs: new Float64Array(memory, 8, 1) };
}

/** Initial estimate of the wake-up time, which is then learned. The loop spins for the rest. */
const firstLeadNs = 50_000;
const longestLeadNs = 100_000;
/** Maximum share of the time that the loop spins. */
const spunShare = 1 / 8;
/** Shorter sleeps are not worth the system calls. */
const shortestSleepNs = 60_000;

/** The machine's clock with an alarm. `close` ends the helper thread. */
export class AlarmClock implements PreciseClock {
  readonly #memory: AlarmMemory = new SharedArrayBuffer(16);
  readonly #shared = openAlarmMemory(this.#memory);
  readonly #clock: Clock;
  #thread: Worker | undefined;
  #callback: (() => void) | undefined;
  #atNs = 0;
  #isSpinning = false;
  /** The requested wake-up time of the helper; Infinity if none. */
  #ringNs = Number.POSITIVE_INFINITY;
  /** How much earlier than needed the wake-up is requested. */
  #leadNs = firstLeadNs;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  nowNs(): number {
    return this.#clock.nowNs();
  }

  callAfterMs(delayMs: number, callback: () => void): () => void {
    return this.#clock.callAfterMs(delayMs, callback);
  }

  callSoon(callback: () => void): void {
    this.#clock.callSoon(callback);
  }

  /** One call can be pending; another replaces it. */
  callAtNs(atNs: number, callback: () => void): () => void {
    this.#callback = callback;
    this.#atNs = atNs;
    const leftNs = atNs - this.#clock.nowNs();
    this.#ringNs = atNs - Math.min(this.#leadNs, leftNs * spunShare);
    if (leftNs < shortestSleepNs) {
      this.#ringNs = Number.POSITIVE_INFINITY;
      this.#spinSoon();
    } else {
      this.#start();
      this.#shared.atNs[0] = this.#ringNs;
      Atomics.add(this.#shared.sequence, 0, 1);
      Atomics.notify(this.#shared.sequence, 0);
    }
    return () => {
      this.#callback = undefined;
    };
  }

  async close(): Promise<void> {
    this.#callback = undefined;
    await this.#thread?.terminate();
  }

  #start(): void {
    if (this.#thread !== undefined) {
      return;
    }
    const thread = openThread("alarm-thread", this.#memory);
    thread.on("message", (sequence: number) => {
      if (this.#callback !== undefined && sequence === Atomics.load(this.#shared.sequence, 0)) {
        this.#learn();
        this.#ringNs = Number.POSITIVE_INFINITY;
        this.#spin();
      }
    });
    thread.unref();
    this.#thread = thread;
  }

  /** Adapts the estimate of the wake-up time slowly. */
  #learn(): void {
    const tookNs = Math.max(0, Math.min(this.#clock.nowNs() - this.#ringNs, longestLeadNs));
    this.#leadNs += (tookNs - this.#leadNs) / 32;
  }

  #spinSoon(): void {
    if (!this.#isSpinning) {
      this.#isSpinning = true;
      this.#clock.callSoon(this.#onTurn);
    }
  }

  // Bound once: a turn of spinning allocates nothing.
  readonly #onTurn = (): void => {
    this.#isSpinning = false;
    this.#spin();
  };

  #spin(): void {
    const callback = this.#callback;
    if (callback === undefined || this.#ringNs !== Number.POSITIVE_INFINITY) {
      return; // Cancelled, or the helper will wake us.
    }
    if (this.#clock.nowNs() < this.#atNs) {
      this.#spinSoon();
    } else {
      this.#callback = undefined;
      callback();
    }
  }
}
