// A latency histogram in microseconds with a fixed relative error, with the buckets of HdrHistogram. Pure; 40 lines
// instead of the harness's hdr-histogram-js, which would double the size of the page.

/** Values below this are exact; above, each power of two has half as many buckets, so a value is at most 3.2 % off. */
const subBuckets = 64;
const halfBuckets = subBuckets / 2;
/** The largest distinct value, 2^31 - 1 us (36 minutes). */
const highestValueUs = 2 ** 31 - 1;
const bucketCount = indexOf(highestValueUs) + 1;

/** One bar: the number of values from `fromUs` to `toUs`, inclusive. */
export interface Bar {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
}

export interface Histogram {
  record(latencyUs: number): void;
  count(): number;
  /** The largest recorded value in us, exact; 0 when empty. */
  max(): number;
  /** The value in us at a quantile (0 to 1); 0 when empty. */
  valueAt(quantile: number): number;
  /** From the smallest to the largest value, four bars for each power of two, empty ones included. */
  bars(): Bar[];
}

export function createHistogram(): Histogram {
  const counts = new Float64Array(bucketCount);
  let total = 0;
  let highestUs = 0;
  return {
    record(latencyUs) {
      const value = Math.min(highestValueUs, Math.max(0, Math.round(latencyUs)));
      const at = indexOf(value);
      counts[at] = (counts[at] ?? 0) + 1;
      total += 1;
      if (value > highestUs) {
        highestUs = value;
      }
    },
    count: () => total,
    max: () => highestUs,
    valueAt(quantile) {
      const rank = Math.max(1, Math.ceil(quantile * total));
      let seen = 0;
      for (let at = 0; at < bucketCount; at += 1) {
        seen += counts[at] ?? 0;
        if (seen >= rank) {
          return Math.min(highestUs, upperEdge(at));
        }
      }
      return highestUs;
    },
    bars: () => coarse(counts),
  };
}

/** Buckets per bar: four bars for each power of two. */
const perBar = halfBuckets / 4;

function coarse(counts: Float64Array): Bar[] {
  const bars: Bar[] = [];
  for (let at = 0; at < bucketCount; at += perBar) {
    const last = Math.min(at + perBar, bucketCount) - 1;
    const count = counts.subarray(at, last + 1).reduce((sum, value) => sum + value, 0);
    bars.push({ fromUs: at === 0 ? 0 : upperEdge(at - 1) + 1, toUs: upperEdge(last), count });
  }
  const first = bars.findIndex((bar) => bar.count > 0);
  const last = bars.findLastIndex((bar) => bar.count > 0);
  return first === -1 ? [] : bars.slice(first, last + 1);
}

function indexOf(value: number): number {
  if (value < subBuckets) {
    return value;
  }
  const shift = 26 - Math.clz32(value);
  return halfBuckets * shift + (value >> shift);
}

function upperEdge(index: number): number {
  if (index < subBuckets) {
    return index;
  }
  const shift = Math.floor(index / halfBuckets) - 1;
  return (index - halfBuckets * shift + 1) * 2 ** shift - 1;
}
