// Computes when each message of the open loop is due. Pure: it does not read a clock.

import type { Curve } from "../scenario/curve.ts";
import type { Arrivals } from "../scenario/population.ts";

/** A schedule, which is read one due time after the other. */
export interface Pacer {
  /** When the next message is due, in nanoseconds. Never decreases; Infinity at the end. */
  readonly nextNs: number;
  /** Moves on to the next message. */
  advance(): void;
}

/** A piece of the rate, with the number of messages due before it. */
interface Stretch {
  readonly startNs: number;
  readonly endNs: number;
  /** Messages per nanosecond, at the start and at the end. */
  readonly from: number;
  readonly to: number;
  readonly before: number;
  /** Messages that are due by its end, with those before it. */
  readonly until: number;
}

/**
 * The schedule of one of `threads` generators that share a rate. A message is due when the number of messages that the
 * rate yields, the area under it, reaches a number: its own in an even schedule; in a Poisson one, the sum of
 * exponentially distributed gaps. Even schedules interleave (thread k is offset by k messages, and all by `phase` of
 * one), Poisson ones are independent: their sum is again a Poisson process.
 * @param random uniform in [0, 1); inject a seeded one for a schedule that repeats
 */
export function createPacer(
  arrivals: Arrivals,
  rate: Curve,
  startNs: number,
  thread: { readonly index: number; readonly count: number },
  phase = 0,
  random: () => number = Math.random,
): Pacer {
  const times = new AreaTimes(rate, startNs);
  return arrivals === "even"
    ? new EvenPacer(times, thread.index + phase, thread.count)
    : new PoissonPacer(times, thread.count, random);
}

class EvenPacer implements Pacer {
  readonly #times: AreaTimes;
  readonly #first: number;
  readonly #step: number;
  #issued = 0;
  nextNs: number;

  constructor(times: AreaTimes, first: number, step: number) {
    this.#times = times;
    this.#first = first;
    this.#step = step;
    this.nextNs = times.timeOf(first);
  }

  /** Computes each time from its number, so that errors do not add up. */
  advance(): void {
    this.#issued += 1;
    this.nextNs = this.#times.timeOf(this.#first + this.#issued * this.#step);
  }
}

class PoissonPacer implements Pacer {
  readonly #times: AreaTimes;
  readonly #mean: number;
  readonly #random: () => number;
  #area = 0;
  nextNs = 0;

  constructor(times: AreaTimes, mean: number, random: () => number) {
    this.#times = times;
    this.#mean = mean;
    this.#random = random;
    this.advance();
  }

  advance(): void {
    this.#area += -Math.log(1 - this.#random()) * this.#mean;
    this.nextNs = this.#times.timeOf(this.#area);
  }
}

/** Inverts the area under a rate; areas must not decrease from call to call. */
class AreaTimes {
  readonly #stretches: readonly Stretch[];
  #at = 0;

  constructor(rate: Curve, startNs: number) {
    this.#stretches = stretchesOf(rate, startNs);
  }

  /** The time at which this many messages have been due; Infinity if never. */
  timeOf(area: number): number {
    let stretch = this.#stretches[this.#at];
    while (stretch !== undefined && area >= stretch.until) {
      this.#at += 1;
      stretch = this.#stretches[this.#at];
    }
    if (stretch === undefined) {
      return Number.POSITIVE_INFINITY;
    }
    const { startNs, endNs, from, to } = stretch;
    const left = area - stretch.before;
    if (left === 0) {
      return startNs;
    }
    if (from === to) {
      return startNs + left / from;
    }
    // Of left = from t + slope t^2 / 2, the root that loses no digits.
    const slope = (to - from) / (endNs - startNs);
    return startNs + (2 * left) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * left)));
  }
}

/** Without stretches in which nothing is due. The last value lasts for ever. */
function stretchesOf(rate: Curve, fromNs: number): Stretch[] {
  const stretches: Stretch[] = [];
  let startNs = fromNs;
  let before = 0;
  const add = (endNs: number, from: number, to: number): void => {
    const until = from + to === 0 ? before : before + ((from + to) / 2e9) * (endNs - startNs);
    if (until > before) {
      stretches.push({ startNs, endNs, from: from / 1e9, to: to / 1e9, before, until });
    }
    before = until;
    startNs = endNs;
  };
  for (const { durationMs, from, to } of rate) {
    add(startNs + durationMs * 1e6, from, to);
  }
  const last = rate.at(-1)?.to ?? 0;
  add(Number.POSITIVE_INFINITY, last, last);
  return stretches;
}
