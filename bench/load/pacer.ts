// The schedule of the open loop: when each message is due. Pure: it does not read a clock.

import { createRandom } from "../../src/lib/random.ts";

export type Arrivals = "even" | "poisson";

/** A schedule that is asked for one due time after the other. */
export interface Pacer {
  /** When the next message is due, in nanoseconds. Never decreases. */
  readonly nextNs: number;
  /** The next message has been taken care of. */
  advance(): void;
}

/** One message every `intervalNs`, from `startNs` on. Due times are multiplied out, so that no error adds up. */
export class EvenPacer implements Pacer {
  readonly #startNs: number;
  readonly #intervalNs: number;
  #issued = 0;
  nextNs: number;

  constructor(startNs: number, intervalNs: number) {
    this.#startNs = startNs;
    this.#intervalNs = intervalNs;
    this.nextNs = startNs;
  }

  advance(): void {
    this.#issued += 1;
    this.nextNs = this.#startNs + this.#issued * this.#intervalNs;
  }
}

/** Arrivals of a Poisson process: independent, exponentially distributed gaps of `meanIntervalNs` on average. */
export class PoissonPacer implements Pacer {
  readonly #meanIntervalNs: number;
  readonly #random: () => number;
  nextNs: number;

  /** @param random uniform in [0, 1); inject a seeded one for a schedule that repeats */
  constructor(startNs: number, meanIntervalNs: number, random: () => number) {
    this.#meanIntervalNs = meanIntervalNs;
    this.#random = random;
    this.nextNs = startNs;
    this.advance();
  }

  advance(): void {
    this.nextNs += -Math.log(1 - this.#random()) * this.#meanIntervalNs;
  }
}

/** Which of several generators a schedule is for. */
export interface Turn {
  readonly thread: { readonly index: number; readonly count: number };
  /** Where in the interval of an even schedule it begins, 0 to 1. */
  readonly phase: number;
  /** Of random arrivals; another one in each generator. */
  readonly seed: number;
}

/**
 * The schedule of one of `threads` generators that share a rate. Even schedules interleave (thread k is offset by k
 * intervals, and all by `phase` of one), Poisson ones are independent: their sum is again a Poisson process.
 */
export function createPacer(
  arrivals: Arrivals,
  ratePerSecond: number,
  startNs: number,
  { thread, phase, seed }: Turn,
): Pacer {
  const intervalNs = 1e9 / ratePerSecond;
  return arrivals === "even"
    ? new EvenPacer(startNs + (thread.index + phase) * intervalNs, intervalNs * thread.count)
    : new PoissonPacer(startNs, intervalNs * thread.count, createRandom(seed));
}
