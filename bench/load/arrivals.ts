// Computes when clients connect and leave, from the size of a population over time. Pure.

import { type Curve, valueAt } from "../scenario/curve.ts";
import type { Arrivals } from "../scenario/population.ts";

/** One client more or less, at a time of the timeline. */
export interface Change {
  readonly atMs: number;
  readonly by: 1 | -1;
  /** Due together with others, by a jump of the size: there is no schedule to be late against. */
  readonly isJump: boolean;
}

interface Thread {
  readonly index: number;
  readonly count: number;
}

/** This thread's share of `size` clients, which are assigned in turn. */
export function shareOf(size: number, { index, count }: Thread): number {
  return Math.max(0, Math.ceil((size - index) / count));
}

/**
 * Yields the changes of one thread's share after the start of the timeline, in order. Client number k of all threads
 * exists while the size is above k.
 */
export function* changesOf(
  size: Curve,
  thread: Thread,
  arrivals: Arrivals,
  random: () => number,
): Generator<Change> {
  let share = shareOf(valueAt(size, 0), thread);
  let startMs = 0;
  for (const { durationMs, from, to } of size) {
    const jumpTo = durationMs === 0 ? to : from;
    const before = share;
    share = shareOf(jumpTo, thread);
    yield* jump(startMs, share - before);
    if (durationMs > 0 && to !== from) {
      const places = placesOf(from, to, thread, arrivals, random);
      for (const place of places) {
        yield { atMs: startMs + durationMs * place, by: to > from ? 1 : -1, isJump: false };
      }
      share = shareOf(to, thread);
    }
    startMs += durationMs;
  }
}

function* jump(atMs: number, by: number): Generator<Change> {
  for (let i = 0; i < Math.abs(by); i += 1) {
    yield { atMs, by: by > 0 ? 1 : -1, isJump: true };
  }
}

/** Where on a straight piece the changes are, from 0 to 1, in order. */
function* placesOf(
  from: number,
  to: number,
  thread: Thread,
  arrivals: Arrivals,
  random: () => number,
): Generator<number> {
  const changes = Math.abs(shareOf(to, thread) - shareOf(from, thread));
  const first = to > from ? shareOf(from, thread) : shareOf(from, thread) - 1;
  let place = 0;
  for (let i = 0; i < changes; i += 1) {
    if (arrivals === "poisson" && to > from) {
      // Of a Poisson process with so many events, those are where so many uniform numbers are: the lowest of the rest.
      place += (1 - place) * (1 - (1 - random()) ** (1 / (changes - i)));
    } else {
      const number = (first + (to > from ? i : -i)) * thread.count + thread.index;
      place = (number - from) / (to - from);
    }
    yield Math.min(1, Math.max(0, place));
  }
}
