// Detects leaks by the trend of low points, because usage between them goes up and down without a leak.

import { percentile } from "./stats.ts";
import { mannKendall, type Point, type Slope, theilSen } from "./trend.ts";

/**
 * `leak`: the low points rise. `none`: they do not, and `slope.high` is what is excluded. `undecided`: there were too
 * few low points to say.
 */
export const leakVerdicts = ["leak", "none", "undecided"] as const;

export interface Leak {
  readonly verdict: (typeof leakVerdicts)[number];
  /** Of the low points, with its interval; null with too few of them. */
  readonly slope: Slope | null;
  /** Mann-Kendall's probability of low points that rise so much, without a leak; null with too few of them. */
  readonly probability: number | null;
  readonly lows: readonly Point[];
}

/** A fall by this part of the range of 90 % of the values ends a tooth of the saw. */
const fallShare = 0.25;
const fewestLows = 5;
/** More low points add nothing, because neighbours are correlated. */
const mostLows = 40;
/** If values never fall, a low point is the lowest of at least this many values. */
const leastPerLow = 3;
/** Rising low points this unlikely are a leak. */
const alarm = 0.01;

/** @param points in the order of time */
export function leakOf(points: readonly Point[]): Leak {
  const lows = lowPoints(points);
  const slope = lows.length < fewestLows ? undefined : theilSen(lows);
  if (slope === undefined) {
    return { verdict: "undecided", slope: null, probability: null, lows };
  }
  const { risingProbability } = mannKendall(lows.map(({ y }) => y));
  const isLeak = risingProbability < alarm && slope.center > 0;
  return { verdict: isLeak ? "leak" : "none", slope, probability: risingProbability, lows };
}

/** The lowest point after each fall; where nothing falls, the lowest of equal stretches. */
function lowPoints(points: readonly Point[]): Point[] {
  const valleys = valleysOf(points);
  const size =
    valleys === undefined
      ? Math.max(leastPerLow, Math.ceil(points.length / mostLows))
      : Math.ceil(valleys.length / mostLows);
  const candidates = valleys ?? points;
  // What is left at the end is less than a whole stretch: its lowest may be high by chance.
  return Array.from({ length: Math.floor(candidates.length / size) }, (_, i) =>
    lowestOf(candidates.slice(i * size, (i + 1) * size)),
  );
}

/** Undefined if there is no fall. Values before the first fall are not low points. */
function valleysOf(points: readonly Point[]): Point[] | undefined {
  const ys = points.map(({ y }) => y);
  // Not the extremes: one spike must not hide all other falls.
  const fall = ys.length === 0 ? 0 : fallShare * (percentile(ys, 95) - percentile(ys, 5));
  const valleys: Point[] = [];
  let low: Point | undefined;
  let high = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (high - point.y > fall) {
      low = point;
      valleys.push(point);
      high = point.y;
    } else if (low !== undefined && point.y < low.y) {
      low = point;
      valleys[valleys.length - 1] = point;
      high = point.y;
    }
    high = Math.max(high, point.y);
  }
  return valleys.length === 0 ? undefined : valleys;
}

function lowestOf(points: readonly Point[]): Point {
  return points.reduce((lowest, point) => (point.y < lowest.y ? point : lowest));
}
