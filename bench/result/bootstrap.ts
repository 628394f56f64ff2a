// Computes intervals of percentiles and of the rate by a moving-block bootstrap over equal spans of the window.

import { type Histogram, JsHistogram } from "hdr-histogram-js";
import { createRandom } from "../../src/lib/random.ts";

/** A histogram as buckets: upper ends in ascending order, and counts. */
export interface SparseHistogram {
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

/** One span of the window. */
export interface Span {
  readonly histogram: SparseHistogram;
  readonly replies: number;
}

/** The middle 95 % of the resampled values. */
export interface ResampledInterval {
  readonly low: number;
  readonly high: number;
}

export interface Resampled {
  readonly percentiles: readonly (ResampledInterval | null)[];
  readonly repliesPerSpan: ResampledInterval;
}

export const resamples = 500;
export const bootstrapSeed = 1;
/** Fewer spans say nothing about each other. */
const fewestSpans = 5;
/** A percentile is reliable if at least this many messages lie beyond it. */
const messagesBeyond = 10;

/** @throws TypeError for a histogram in WASM, which does not show its buckets: encode and decode it first */
export function sparseOf(histogram: Histogram): SparseHistogram {
  if (!(histogram instanceof JsHistogram)) {
    throw new TypeError("only a histogram in JavaScript shows its buckets");
  }
  const values: number[] = [];
  const counts: number[] = [];
  for (let index = 0; index < histogram.countsArrayLength; index += 1) {
    const count = histogram.getCountAtIndex(index);
    if (count > 0) {
      values.push(histogram.highestEquivalentValue(histogram.valueFromIndex(index)));
      counts.push(count);
    }
  }
  return { values, counts };
}

/** The number of messages at or below a value. */
export function countUpTo({ values, counts }: SparseHistogram, limit: number): number {
  return counts.reduce((sum, count, i) => ((values[i] ?? 0) <= limit ? sum + count : sum), 0);
}

/**
 * Resamples the spans in blocks, because neighbouring spans are correlated. Blocks are about as long as the cube root of
 * the number of spans.
 * @param spans of equal length, in order
 * @param percentiles 0 to 100
 * @returns undefined if there are too few spans
 */
export function resample(spans: readonly Span[], percentiles: readonly number[]): Resampled | undefined {
  if (spans.length < fewestSpans) {
    return undefined;
  }
  const random = createRandom(bootstrapSeed);
  const block = Math.max(1, Math.round(Math.cbrt(spans.length)));
  const values = [...new Set(spans.flatMap(({ histogram }) => [...histogram.values]))].sort((a, b) => a - b);
  const placeOf = new Map(values.map((value, place) => [value, place]));
  const placed = spans.map(({ histogram }) => histogram.values.map((value) => placeOf.get(value) ?? 0));
  const found = percentiles.map((): number[] => []);
  const rates: number[] = [];
  const sum = new Float64Array(values.length);
  for (let round = 0; round < resamples; round += 1) {
    sum.fill(0);
    let replies = 0;
    for (let drawn = 0; drawn < spans.length; drawn += block) {
      const from = Math.floor(random() * (spans.length - block + 1));
      for (let i = from; i < from + Math.min(block, spans.length - drawn); i += 1) {
        addInto(sum, placed[i] ?? [], spans[i]?.histogram.counts ?? []);
        replies += spans[i]?.replies ?? 0;
      }
    }
    rates.push(replies / spans.length);
    percentilesOf(sum, values, percentiles).forEach((value, i) => {
      if (value !== undefined) {
        found[i]?.push(value);
      }
    });
  }
  return {
    percentiles: found.map((each) => (each.length < resamples ? null : middleOf(each))),
    repliesPerSpan: middleOf(rates),
  };
}

function addInto(sum: Float64Array, places: readonly number[], counts: readonly number[]): void {
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i] ?? 0;
    sum[place] = (sum[place] ?? 0) + (counts[i] ?? 0);
  }
}

/** Undefined for a percentile that has too few messages beyond it. */
function percentilesOf(
  counts: Float64Array,
  values: readonly number[],
  percentiles: readonly number[],
): (number | undefined)[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return percentiles.map((percentile) => {
    if (total * (1 - percentile / 100) < messagesBeyond) {
      return undefined;
    }
    const wanted = Math.ceil((total * percentile) / 100);
    let seen = 0;
    return values.find((_, place) => {
      seen += counts[place] ?? 0;
      return seen >= wanted;
    });
  });
}

function middleOf(values: readonly number[]): ResampledInterval {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.025), high: at(0.975) };
}
