// Counts and times the events in one step of one group, second by second.
//
// Two rules make the figures honest. A message belongs to the step in which it was due (closed loop: sent), and its
// latency counts even when the reply arrives after the step: slow replies are not cut off at the end. Messages
// received are those that arrived in the step, whichever message they answer.

import { Metrics, type Taken } from "./metrics.ts";

const secondNs = 1e9;

/** A stretch of time on the shared clock; no message is due at or after untilNs. */
export interface Span {
  readonly fromNs: number;
  readonly untilNs: number;
}

/** Stretches that adjoin, from `startNs` on. */
export function spansFrom(startNs: number, durationsMs: readonly number[]): Span[] {
  let fromNs = startNs;
  return durationsMs.map((durationMs) => {
    const span = { fromNs, untilNs: fromNs + durationMs * 1e6 };
    fromNs = span.untilNs;
    return span;
  });
}

/** The events of one second of a step (less at its end), or after the step, of messages that were due in it. */
export interface Interval extends Taken {
  readonly phase: "step" | "after";
  readonly startNs: number;
  readonly endNs: number;
}

export class Recorder {
  readonly metrics = new Metrics();
  readonly fromNs: number;
  readonly #onInterval: (interval: Interval) => void;
  /** End of the step; earlier than planned after `cutShort`. */
  untilNs: number;
  #intervalStartNs: number;
  /** First moment that belongs to the next interval; Infinity after the step. */
  boundaryNs: number;

  /** @param onInterval called with the intervals of the step in order, and then with non-empty ones after it */
  constructor(span: Span, onInterval: (interval: Interval) => void) {
    this.#onInterval = onInterval;
    this.fromNs = span.fromNs;
    this.untilNs = span.untilNs;
    this.#intervalStartNs = span.fromNs;
    this.boundaryNs = this.#boundaryAfter(span.fromNs);
  }

  /** Closes every interval that ended at or before `nowNs`. */
  roll(nowNs: number): void {
    while (nowNs >= this.boundaryNs) {
      this.#close(this.boundaryNs);
    }
  }

  /** Ends the step now, unless it is already over. */
  cutShort(nowNs: number): void {
    this.roll(nowNs);
    if (nowNs < this.untilNs) {
      this.untilNs = Math.max(nowNs, this.#intervalStartNs);
      this.boundaryNs = this.untilNs;
      this.roll(nowNs);
    }
  }

  /** Sets the end of the step. */
  endAt(untilNs: number): void {
    this.untilNs = untilNs;
    this.boundaryNs = this.#boundaryAfter(this.#intervalStartNs);
  }

  /** Reports events since the end of the step, if any, and frees memory. */
  flush(nowNs: number): void {
    const taken = this.metrics.take();
    const hasCounted = Object.values(taken.counters).some((count) => count > 0);
    if (hasCounted || taken.ended.length > 0 || Object.keys(taken.distributions).length > 0) {
      this.#onInterval({ phase: "after", startNs: this.#intervalStartNs, endNs: nowNs, ...taken });
    }
    this.#intervalStartNs = nowNs;
    this.metrics.release();
  }

  #close(endNs: number): void {
    const startNs = this.#intervalStartNs;
    this.#intervalStartNs = endNs;
    this.boundaryNs = this.#boundaryAfter(endNs);
    this.#onInterval({ phase: "step", startNs, endNs, ...this.metrics.take() });
  }

  /** Seconds are counted from the start of the step, whose end is a boundary too. */
  #boundaryAfter(nowNs: number): number {
    if (nowNs >= this.untilNs) {
      return Number.POSITIVE_INFINITY;
    }
    const nextSecondNs = this.fromNs + (Math.floor((nowNs - this.fromNs) / secondNs) + 1) * secondNs;
    return Math.min(nextSecondNs, this.untilNs);
  }
}
