// Counts and times what happens in the measured window, per second and in total.
//
// Two rules make the figures honest. A message belongs to the window by the moment it was due (closed loop: sent),
// and its latency counts even when the reply arrives after the window: slow replies are not cut off at the end.
// Replies per second are those that arrived inside the window, whichever message they answer.

import { Distribution } from "./distribution.ts";

const secondNs = 1e9;

/** Phases on the shared clock: load from startNs, measured from fromNs, no message due at or after untilNs. */
export interface Window {
  readonly startNs: number;
  readonly fromNs: number;
  readonly untilNs: number;
}

export type Phase = "warmup" | "measure" | "drain";

/** What happened in one second of the run (less at the edges of a phase). Histograms are HdrHistogram V2, in ns. */
export interface Interval {
  readonly phase: Phase;
  readonly startNs: number;
  readonly endNs: number;
  /** Replies and their payload octets that arrived in it. */
  readonly replies: number;
  readonly bytes: number;
  /** Messages of the window, by their fate: those that were due are `sent + unsent`. */
  readonly sent: number;
  /** Still held back at the end of the window, since the target took nothing more. */
  readonly unsent: number;
  readonly answered: number;
  readonly lost: number;
  readonly corrupt: number;
  /** From the intended send time; of an unsent message, what it had waited by the end of the window. */
  readonly latency: Uint8Array;
  /** The part of `latency` that is of unsent messages; undefined when there were none. */
  readonly unsentLatency: Uint8Array | undefined;
  /** From the actual send time; undefined in a closed loop, where both are one. */
  readonly service: Uint8Array | undefined;
  /** How late the generator itself was; undefined in a closed loop, which has no schedule. */
  readonly lag: Uint8Array | undefined;
  /** Exact extremes of `latency` and `service` in ns; Infinity and 0 when nothing was recorded. */
  readonly minLatencyNs: number;
  readonly maxLatencyNs: number;
  readonly minServiceNs: number;
  readonly maxServiceNs: number;
}

export class Recorder {
  readonly window: Window;
  readonly #isOpenLoop: boolean;
  readonly #onInterval: (interval: Interval) => void;
  readonly #latency = new Distribution();
  readonly #service: Distribution;
  readonly #lag = new Distribution();
  readonly #unsentLatency: Distribution;
  #untilNs: number;
  #phase: Phase;
  #intervalStartNs: number;
  /** First moment that belongs to the next interval. */
  #boundaryNs: number;
  #replies = 0;
  #bytes = 0;
  #sent = 0;
  #unsent = 0;
  #answered = 0;
  #lost = 0;
  #corrupt = 0;

  /** @param onInterval gets every interval once, in order, the drain last */
  constructor(window: Window, loop: "closed" | "open", onInterval: (interval: Interval) => void) {
    this.window = window;
    this.#isOpenLoop = loop === "open";
    this.#onInterval = onInterval;
    this.#service = this.#isOpenLoop ? new Distribution() : this.#latency;
    this.#unsentLatency = this.#isOpenLoop ? new Distribution() : this.#latency;
    this.#untilNs = window.untilNs;
    this.#phase = window.fromNs > window.startNs ? "warmup" : "measure";
    this.#intervalStartNs = window.startNs;
    this.#boundaryNs = this.#boundaryAfter(window.startNs);
    this.#latency.take(); // The first time takes milliseconds: not in the window.
  }

  /** End of the window; earlier than planned after `cutShort`. */
  get untilNs(): number {
    return this.#untilNs;
  }

  /** When the current interval ends; Infinity in the drain. */
  get boundaryNs(): number {
    return this.#boundaryNs;
  }

  /** Ends the window now. Nothing changes when it is over already. */
  cutShort(nowNs: number): void {
    this.roll(nowNs);
    if (nowNs < this.#untilNs) {
      this.#untilNs = Math.max(nowNs, this.#intervalStartNs);
      this.#boundaryNs = this.#untilNs;
      this.roll(nowNs);
    }
  }

  /** `count` messages that were due at `intendedNs` were sent. */
  sent(intendedNs: number, count: number): void {
    if (this.#isInWindow(intendedNs)) {
      this.#sent += count;
    }
  }

  /** A message that was due at `intendedNs` could not be sent before the end of the window. Call after it. */
  unsent(intendedNs: number): void {
    if (this.#isInWindow(intendedNs)) {
      this.#unsent += 1;
      this.#latency.record(this.#untilNs - intendedNs, 1);
      this.#unsentLatency.record(this.#untilNs - intendedNs, 1);
    }
  }

  /** The generator was this late, through no fault of the target. */
  lag(intendedNs: number, sentNs: number): void {
    if (this.#isInWindow(intendedNs)) {
      this.#lag.record(sentNs - intendedNs, 1);
    }
  }

  /** Replies came in at `nowNs`. Call before `answered`. */
  arrived(nowNs: number, count: number, bytes: number): void {
    this.roll(nowNs);
    this.#replies += count;
    this.#bytes += bytes;
  }

  /** `count` messages of one due and send time have their replies. */
  answered(intendedNs: number, sentNs: number, nowNs: number, count: number): void {
    if (!this.#isInWindow(intendedNs)) {
      return;
    }
    this.#answered += count;
    this.#latency.record(nowNs - intendedNs, count);
    if (this.#isOpenLoop) {
      this.#service.record(nowNs - sentNs, count);
    }
  }

  /** A reply came, but not the right one. */
  corrupt(intendedNs: number): void {
    if (this.#isInWindow(intendedNs)) {
      this.#corrupt += 1;
    }
  }

  /** These messages will never be answered. */
  lost(intendedNs: number, count: number): void {
    if (this.#isInWindow(intendedNs)) {
      this.#lost += count;
    }
  }

  /** Closes every interval that ended at or before `nowNs`. */
  roll(nowNs: number): void {
    while (nowNs >= this.#boundaryNs) {
      this.#close(this.#boundaryNs);
    }
  }

  /** Closes the last interval; the recorder is of no use afterwards. */
  finish(nowNs: number): void {
    this.cutShort(nowNs);
    this.#close(nowNs);
    this.#latency.destroy();
    this.#lag.destroy();
    if (this.#isOpenLoop) {
      this.#service.destroy();
      this.#unsentLatency.destroy();
    }
  }

  #isInWindow(intendedNs: number): boolean {
    return intendedNs >= this.window.fromNs && intendedNs < this.#untilNs;
  }

  #close(endNs: number): void {
    const { minNs: minLatencyNs, maxNs: maxLatencyNs } = this.#latency;
    const { minNs: minServiceNs, maxNs: maxServiceNs } = this.#service;
    this.#onInterval({
      phase: this.#phase,
      startNs: this.#intervalStartNs,
      endNs,
      replies: this.#replies,
      bytes: this.#bytes,
      sent: this.#sent,
      unsent: this.#unsent,
      answered: this.#answered,
      lost: this.#lost,
      corrupt: this.#corrupt,
      latency: this.#latency.take(),
      unsentLatency: this.#unsent > 0 ? this.#unsentLatency.take() : undefined,
      service: this.#isOpenLoop ? this.#service.take() : undefined,
      lag: this.#isOpenLoop ? this.#lag.take() : undefined,
      minLatencyNs,
      maxLatencyNs,
      minServiceNs,
      maxServiceNs,
    });
    this.#replies = 0;
    this.#bytes = 0;
    this.#sent = 0;
    this.#unsent = 0;
    this.#answered = 0;
    this.#lost = 0;
    this.#corrupt = 0;
    this.#intervalStartNs = endNs;
    this.#phase = endNs >= this.#untilNs ? "drain" : endNs >= this.window.fromNs ? "measure" : "warmup";
    this.#boundaryNs = this.#boundaryAfter(endNs);
  }

  /** Seconds are counted from the start of the window; both of its ends are boundaries, and the drain has none. */
  #boundaryAfter(nowNs: number): number {
    const { fromNs } = this.window;
    if (nowNs >= this.#untilNs) {
      return Number.POSITIVE_INFINITY;
    }
    const nextSecondNs = fromNs + (Math.floor((nowNs - fromNs) / secondNs) + 1) * secondNs;
    return nowNs < fromNs ? Math.min(nextSecondNs, fromNs) : Math.min(nextSecondNs, this.#untilNs);
  }
}
