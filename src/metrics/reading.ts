// How families read their values from the slots.

import type { Distribution, Sample } from "../lib/bulk-histogram.ts";
import type { Stats } from "./counters.ts";

/** One slot. */
export function at(index: number): (stats: Stats) => number {
  return (stats) => stats[index] ?? 0;
}

/** One slot for each value of a label, from `first`. */
export function labelled(
  label: string,
  values: readonly string[],
  first: number,
): (stats: Stats) => Sample[] {
  return (stats) => values.map((value, i) => [{ [label]: value }, stats[first + i] ?? 0]);
}

/** The buckets of a histogram, from `first`. */
export function buckets(stats: Stats, first: number, bounds: readonly number[]): number[] {
  return [...stats.subarray(first, first + bounds.length + 1)];
}

/** A histogram whose buckets start at `first` and whose sum is in `sum`. */
export function distribution(
  bounds: readonly number[],
  first: number,
  sum: number,
): (stats: Stats) => Distribution {
  return (stats) => ({ bounds, counts: buckets(stats, first, bounds), sum: stats[sum] ?? 0 });
}
