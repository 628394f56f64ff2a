// Wakes an event loop with microsecond precision without spinning: timers of Node have whole milliseconds only.
// A helper thread sleeps in Atomics.wait, whose time-outs have microseconds, and its message wakes the loop.

import type { Worker } from "node:worker_threads";
import { type Clock, type PreciseClock, systemClock } from "./clock.ts";
import { openThread } from "./thread-file.ts";

/** What an alarm shares with its helper thread: a sequence number to wait on, and the moment that goes with it. */
export type AlarmMemory = SharedArrayBuffer;

export function openAlarmMemory(memory: AlarmMemory): { sequence: Int32Array; atNs: Float64Array } {
  return { sequence: new Int32Array(memory, 0, 1), atNs: new Float64Array(memory, 8, 1) };
}

/** What waking takes, at first; then it is learned. The rest of the way to the moment is spun. */
const firstLeadNs = 50_000;
const longestLeadNs = 100_000;
/** At most this part of the time to the moment is spun. */
const spunShare = 1 / 8;
/** Nearer moments are not worth the system calls. */
const shortestSleepNs = 60_000;

/** The machine's clock, with an alarm of its own. `close` ends the helper thread. */
export class AlarmClock implements PreciseClock {
  readonly #memory: AlarmMemory = new SharedArrayBuffer(16);
  readonly #shared = openAlarmMemory(this.#memory);
  readonly #clock: Clock;
  #thread: Worker | undefined;
  #callback: (() => void) | undefined;
  #atNs = 0;
  #isSpinning = false;
  /** When the helper was asked to wake us; Infinity while it was not. */
  #ringNs = Number.POSITIVE_INFINITY;
  /** How much earlier than needed it is asked. */
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

  /** One call can be pending; another takes its place. */
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

  /** Follows what waking takes, slowly. */
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
