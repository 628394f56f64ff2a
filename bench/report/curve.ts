// Computes the curve of latency by percentile that plots draw.

import type { LatencyHistogram } from "../result/histogram.ts";

/** Points per tenfold step towards 100 %, as in 90 %, 99 %, 99.9 %. */
const pointsPerDecade = 20;
const highestDecade = 8;

/**
 * The x positions that all curves share: 1 / (1 - p), which is 10 at 90 % and 1000 at 99.9 %.
 * They end at 1 / (1 - p) = `messages`, beyond which less than one message lies.
 */
export function curvePositions(messages: number): number[] {
  const decades = Math.min(highestDecade, Math.log10(Math.max(10, messages)));
  return Array.from(
    { length: Math.floor(decades * pointsPerDecade) + 1 },
    (_, index) => 10 ** (index / pointsPerDecade),
  );
}

/** The latency in microseconds at each position; null where the histogram has too few messages. */
export function curveValues(
  { histogram, unitNs }: LatencyHistogram,
  positions: readonly number[],
): (number | null)[] {
  const { totalCount } = histogram;
  return positions.map((position) =>
    position > totalCount * 1.0001
      ? null
      : (histogram.getValueAtPercentile(100 * (1 - 1 / position)) * unitNs) / 1000,
  );
}

/** The percentile at a position: 10 becomes `90%`, 1000 `99.9%`. */
export function percentileLabel(position: number): string {
  const decades = Math.round(Math.log10(position));
  return decades <= 0
    ? "0%"
    : decades === 1
      ? "90%"
      : decades === 2
        ? "99%"
        : `99.${"9".repeat(decades - 2)}%`;
}
