// Decodes, encodes and adds latency histograms; figures come out in microseconds.

import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
import type { EncodedHistogram, Latency } from "./schema.ts";

/** A decoded histogram with its unit. */
export interface LatencyHistogram {
  readonly histogram: Histogram;
  readonly unitNs: number;
}

/** Counts are kept as 64-bit floats: 32-bit ones overflow after an hour at a million messages per second. */
const countBits = 64;

/** Encodes a histogram for a Result. `unitNs` is the length of one recorded unit in nanoseconds. */
export function encodeHistogram(histogram: Histogram, unitNs: number): EncodedHistogram {
  return { encoding: "hdr-v2-compressed-base64", unitNs, data: encodeIntoCompressedBase64(histogram) };
}

/** Decodes a histogram of a Result. @throws Error if the data are not a histogram */
export function decodeHistogram(encoded: EncodedHistogram): LatencyHistogram {
  return { histogram: decodeFromCompressedBase64(encoded.data, countBits), unitNs: encoded.unitNs };
}

/**
 * The figures of a Result's `latencyUs` and `serviceUs`, in microseconds; null when nothing was recorded.
 * @param exact lowest and highest value in microseconds, if known more exactly than by the histogram's buckets
 */
export function latencyOf(
  { histogram, unitNs }: LatencyHistogram,
  exact?: Pick<Latency, "min" | "max">,
): Latency | null {
  if (histogram.totalCount === 0) {
    return null;
  }
  const toUs = (units: number): number => (units * unitNs) / 1000;
  // minNonZeroValue ignores recorded zeros.
  const min = exact?.min ?? (histogram.getValueAtPercentile(0) === 0 ? 0 : toUs(histogram.minNonZeroValue));
  const max = exact?.max ?? toUs(histogram.maxValue);
  // A percentile is the upper end of its bucket, which may lie beyond the highest value.
  const at = (percentile: number): number => Math.min(max, toUs(histogram.getValueAtPercentile(percentile)));
  const mean = Math.min(max, Math.max(min, toUs(histogram.mean)));
  return { min, mean, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), p9999: at(99.99), max };
}

/**
 * Adds histograms bucket by bucket, so nothing is estimated.
 * @throws Error when they were recorded in different units
 */
export function addHistograms(histograms: readonly LatencyHistogram[]): LatencyHistogram {
  const unitNs = histograms[0]?.unitNs ?? 1;
  const digits = Math.max(3, ...histograms.map(({ histogram }) => histogram.numberOfSignificantValueDigits));
  const sum = build({
    bitBucketSize: countBits,
    numberOfSignificantValueDigits: digits as 1 | 2 | 3 | 4 | 5,
  });
  for (const part of histograms) {
    if (part.unitNs !== unitNs) {
      throw new Error(`histograms in units of ${unitNs} ns and ${part.unitNs} ns cannot be added`);
    }
    sum.add(part.histogram);
  }
  return { histogram: sum, unitNs };
}
