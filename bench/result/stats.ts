// Computes statistics of a few repeated measurements: median, percentiles, range. Pure.

/** Median and range of some values. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The value below which `percent` of the values lie, between two neighbours by linear interpolation.
 * @param percent 0 (the lowest) to 100 (the highest)
 * @throws RangeError if there are no values or `percent` is out of range
 */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) {
    throw new RangeError("no values, so no percentile");
  }
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(`percentile ${percent} is not within 0..100`);
  }
  const sorted = [...values].sort((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(rank)] ?? 0;
  const above = sorted[Math.ceil(rank)] ?? below;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** The median; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Median, lowest and highest. @throws RangeError if there are no values */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: percentile(values, 0), max: percentile(values, 100) };
}
