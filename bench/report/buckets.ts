// Counts latencies in buckets that are equally wide on a logarithmic axis.

import { sparseOf } from "../result/bootstrap.ts";
import type { LatencyHistogram } from "../result/histogram.ts";

const bucketsPerDecade = 20;

/** Histograms over the same buckets. */
export interface Buckets {
  /** Lower ends of the buckets in microseconds, then the upper end of the last one. */
  readonly edgesUs: readonly number[];
  /** For each histogram: per cent of messages in each bucket, then 0 for the last edge. */
  readonly percents: readonly (readonly number[])[];
}

/** Counts all histograms; undefined if all are empty. */
export function bucketsOf(histograms: readonly LatencyHistogram[]): Buckets | undefined {
  const counted = histograms.map(countByBucket);
  const indices = counted.flatMap((counts) => [...counts.keys()]);
  if (indices.length === 0) {
    return undefined;
  }
  const first = Math.min(...indices);
  const count = Math.max(...indices) - first + 1;
  const all = Array.from({ length: count + 1 }, (_, offset) => first + offset);
  return {
    edgesUs: all.map((index) => 10 ** (index / bucketsPerDecade)),
    percents: counted.map((counts, at) =>
      all.map(
        (index) => (100 * (counts.get(index) ?? 0)) / Math.max(1, histograms[at]?.histogram.totalCount ?? 0),
      ),
    ),
  };
}

/** Counts by bucket number: bucket 0 begins at 1 us. Latencies below 10 ns count as 10 ns. */
function countByBucket({ histogram, unitNs }: LatencyHistogram): Map<number, number> {
  const counts = new Map<number, number>();
  const { values, counts: perValue } = sparseOf(histogram);
  values.forEach((value, at) => {
    const us = Math.max(0.01, (value * unitNs) / 1000);
    const index = Math.floor(bucketsPerDecade * Math.log10(us));
    counts.set(index, (counts.get(index) ?? 0) + (perValue[at] ?? 0));
  });
  return counts;
}
