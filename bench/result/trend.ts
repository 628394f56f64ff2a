// Computes trends by ranks, which outliers hardly affect: the Theil-Sen slope with Sen's interval, and the Mann-Kendall test.

import jstat from "jstat";
import { confidence, type Estimate } from "./interval.ts";
import { median } from "./stats.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A slope in units of y per unit of x. */
export interface Slope extends Estimate {
  /** Of the interval: of very few points, even the widest one covers the true slope less often than asked. */
  readonly confidence: number;
}

export interface MannKendall {
  /** Pairs that rise less pairs that fall. */
  readonly score: number;
  /** Probability of a score at least this high when there is no trend. */
  readonly risingProbability: number;
}

/** Fewer points have no useful interval. */
export const fewestPoints = 4;
/** From this number of points on, Kendall's score is taken as normal. */
const manyPoints = 50;
/** More points are thinned out, because the number of pairs grows with the square. */
const mostPoints = 1000;

const tail = (1 - confidence) / 2;

/** The median of the slopes of all pairs; undefined with fewer than four different x. */
export function theilSen(points: readonly Point[]): Slope | undefined {
  const kept = thin(points);
  if (new Set(kept.map(({ x }) => x)).size < fewestPoints) {
    return undefined;
  }
  const slopes = slopesOf(kept);
  const { critical, coverage } = criticalScore(kept);
  // The kth lowest and the kth highest slope bound what the test would not reject (Sen 1968).
  const outside = Math.max(0, Math.floor((slopes.length - critical) / 2) - 1);
  return {
    center: middleOf(slopes),
    low: slopes[outside] ?? Number.NaN,
    high: slopes[slopes.length - 1 - outside] ?? Number.NaN,
    confidence: coverage,
  };
}

/** The intercept of a line with this slope: the median over all points. */
export function interceptOf(points: readonly Point[], slope: number): number {
  return median(points.map(({ x, y }) => y - slope * x));
}

/** Tests whether values rise in their order. Ties count for neither side. */
export function mannKendall(values: readonly number[]): MannKendall {
  const points = values.map((y, x) => ({ x, y }));
  const score = slopesOf(points).reduce((sum, slope) => sum + Math.sign(slope), 0);
  const hasTies = new Set(values).size < values.length;
  if (!hasTies && values.length < manyPoints) {
    return { score, risingProbability: upperTail(kendallShares(values.length), score) };
  }
  // Towards 0 by one, since the score moves in steps of two.
  const distance = Math.sign(score) * Math.max(0, Math.abs(score) - 1);
  const deviation = scoreDeviation(values);
  const probability = 1 - jstat.normal.cdf(distance / deviation, 0, 1);
  return { score, risingProbability: deviation === 0 ? 1 : probability };
}

/** In ascending order; pairs of the same x have none. */
function slopesOf(points: readonly Point[]): Float64Array {
  const slopes: number[] = [];
  points.forEach((from, index) => {
    for (const to of points.slice(index + 1)) {
      if (to.x !== from.x) {
        slopes.push((to.y - from.y) / (to.x - from.x));
      }
    }
  });
  return Float64Array.from(slopes).sort();
}

function middleOf(sorted: Float64Array): number {
  const last = sorted.length - 1;
  return ((sorted[Math.floor(last / 2)] ?? Number.NaN) + (sorted[Math.ceil(last / 2)] ?? Number.NaN)) / 2;
}

/** The highest score that the two-sided test does not reject, and how often that covers the truth. */
function criticalScore(points: readonly Point[]): { critical: number; coverage: number } {
  const count = points.length;
  const hasSharedX = new Set(points.map(({ x }) => x)).size < count;
  if (count >= manyPoints || hasSharedX) {
    const deviation = scoreDeviation(points.map(({ x }) => x));
    return { critical: jstat.normal.inv(1 - tail, 0, 1) * deviation, coverage: confidence };
  }
  const shares = kendallShares(count);
  const highest = (count * (count - 1)) / 2;
  let critical = highest - 2;
  while (critical - 2 >= 0 && upperTail(shares, critical) <= tail) {
    critical -= 2;
  }
  return { critical, coverage: 1 - 2 * upperTail(shares, critical + 2) };
}

/** Standard deviation of Kendall's score without a trend, for values of which some may be equal. */
function scoreDeviation(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const part = (count: number): number => count * (count - 1) * (2 * count + 5);
  const ties = [...counts.values()].reduce((sum, count) => sum + part(count), 0);
  return Math.sqrt((part(values.length) - ties) / 18);
}

/** Of all orders of so many values, the share of each number of inversions, from 0. */
function kendallShares(count: number): Float64Array {
  let shares = Float64Array.of(1);
  for (let size = 2; size <= count; size += 1) {
    const next = new Float64Array(shares.length + size - 1);
    shares.forEach((share, inversions) => {
      for (let more = 0; more < size; more += 1) {
        next[inversions + more] = (next[inversions + more] ?? 0) + share / size;
      }
    });
    shares = next;
  }
  return shares;
}

/** Probability of a score at least this high. A score is the number of pairs less twice the inversions. */
function upperTail(shares: Float64Array, score: number): number {
  const inversions = Math.floor((shares.length - 1 - score) / 2);
  return shares.subarray(0, inversions + 1).reduce((sum, share) => sum + share, 0);
}

function thin(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / mostPoints);
  return step <= 1 ? points : points.filter((_, index) => index % step === 0);
}
