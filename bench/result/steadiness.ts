// Whether a run was steady: change points in the logarithms of its figures, second by second.

import type { Second } from "./schema.ts";

/** `too-short`: nothing can be said. `unsteady`: it changed, and neither for better at first nor for worse at last. */
export const steadinessVerdicts = ["steady", "warming-up", "slowing-down", "unsteady", "too-short"] as const;

export interface Steadiness {
  readonly verdict: (typeof steadinessVerdicts)[number];
  /** Where the last change was, from the start of the window; null when there was none. */
  readonly changedAtSeconds: number | null;
  /** The figure that changed, and by which factor from the first stretch to the last. */
  readonly figure: string | null;
  readonly factor: number | null;
}

/** One figure over time; null where it is not known. */
export interface Track {
  readonly figure: string;
  readonly isBetterHigh: boolean;
  readonly values: readonly (number | null)[];
}

/** Fewer seconds say nothing. */
const fewestSeconds = 8;
/** Shorter stretches are outliers, not levels. */
const shortestStretch = 3;
/** Smaller changes do not matter. */
const leastChange = 0.05;
/** How much better a fit another change point has to make, in variances times the logarithm of the length. */
const penalty = 4;
/** More points are not needed to find a change, and take time by the square. */
const mostPoints = 600;

/** @param endSeconds of each value, from the start of the window */
export function steadinessOf(endSeconds: readonly number[], tracks: readonly Track[]): Steadiness {
  const nothing = { changedAtSeconds: null, figure: null, factor: null };
  if (endSeconds.length < fewestSeconds) {
    return { verdict: "too-short", ...nothing };
  }
  for (const track of tracks) {
    const change = changeOf(track);
    if (change !== undefined) {
      const { firstEnd, lastStart, factor } = change;
      const isBetter = factor > 1 === track.isBetterHigh;
      const isEarly = lastStart <= endSeconds.length / 2;
      const isLate = firstEnd >= endSeconds.length / 2;
      return {
        verdict:
          isBetter && isEarly
            ? "warming-up"
            : !isBetter && (isLate || change.isMonotone)
              ? "slowing-down"
              : "unsteady",
        changedAtSeconds: endSeconds[lastStart - 1] ?? 0,
        figure: track.figure,
        factor,
      };
    }
  }
  return { verdict: "steady", ...nothing };
}

/** Of the series of a Result. */
export function steadinessOfSeries(series: readonly Second[]): Steadiness {
  const whole = series.filter(
    ({ endSeconds }, i) => endSeconds - (series[i - 1]?.endSeconds ?? 0) > 0.9 * (series[0]?.endSeconds ?? 1),
  );
  return steadinessOf(
    whole.map(({ endSeconds }) => endSeconds),
    [
      {
        figure: "messagesPerSecond",
        isBetterHigh: true,
        values: whole.map((second) => second.messagesPerSecond),
      },
      { figure: "p50Us", isBetterHigh: false, values: whole.map((second) => second.p50Us) },
      {
        figure: "serverCpuPerMessage",
        isBetterHigh: false,
        values: whole.map(({ serverCpuPercent, messagesPerSecond }) =>
          serverCpuPercent === null ? null : serverCpuPercent / messagesPerSecond,
        ),
      },
    ],
  );
}

interface Change {
  /** Length of the first stretch, and where the last one begins. */
  readonly firstEnd: number;
  readonly lastStart: number;
  readonly factor: number;
  readonly isMonotone: boolean;
}

function changeOf({ values }: Track): Change | undefined {
  if (values.some((value) => value === null || value <= 0)) {
    return undefined;
  }
  const step = Math.ceil(values.length / mostPoints);
  const logs = values.filter((_, i) => i % step === 0).map((value) => Math.log(value ?? 1));
  const starts = changePoints(withoutOutliers(logs), noiseOf(logs));
  const means = starts.map((start, i) => meanOf(logs.slice(start, starts[i + 1])));
  const spread = Math.max(...means) - Math.min(...means);
  if (starts.length < 2 || spread < Math.log1p(leastChange)) {
    return undefined;
  }
  const factor = Math.exp((means.at(-1) ?? 0) - (means[0] ?? 0));
  return {
    firstEnd: (starts[1] ?? 0) * step,
    lastStart: (starts.at(-1) ?? 0) * step,
    factor,
    isMonotone: means.every(
      (mean, i) => i === 0 || Math.sign(mean - (means[i - 1] ?? 0)) === Math.sign(factor - 1),
    ),
  };
}

/** Where each stretch of one level begins, by optimal partitioning: least squares with a price for each stretch. */
function changePoints(values: readonly number[], noise: number): number[] {
  const n = values.length;
  const price = penalty * noise * Math.log(n);
  const sums = [0];
  const squares = [0];
  for (const value of values) {
    sums.push((sums.at(-1) ?? 0) + value);
    squares.push((squares.at(-1) ?? 0) + value * value);
  }
  const costOf = (from: number, until: number): number => {
    const sum = (sums[until] ?? 0) - (sums[from] ?? 0);
    return (squares[until] ?? 0) - (squares[from] ?? 0) - (sum * sum) / (until - from);
  };
  const best = [-price];
  const previous = [0];
  for (let until = 1; until <= n; until += 1) {
    best[until] = Number.POSITIVE_INFINITY;
    for (let from = 0; from <= until - shortestStretch; from += 1) {
      const cost = (best[from] ?? Number.POSITIVE_INFINITY) + costOf(from, until) + price;
      if (cost < (best[until] ?? 0)) {
        best[until] = cost;
        previous[until] = from;
      }
    }
  }
  const starts: number[] = [];
  for (let at = n; at > 0; at = previous[at] ?? 0) {
    starts.unshift(previous[at] ?? 0);
  }
  return starts;
}

/** Each value as the middle one of itself and its neighbours: a single second is no level. */
function withoutOutliers(values: readonly number[]): number[] {
  return values.map((value, i) => {
    const three = [values[i - 1] ?? value, value, values[i + 1] ?? value].sort((a, b) => a - b);
    return three[1] ?? value;
  });
}

/** Variance of the values about their level, from neighbours, so that changes of level do not count. */
function noiseOf(values: readonly number[]): number {
  const steps = values.slice(1).map((value, i) => Math.abs(value - (values[i] ?? 0)));
  const median = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  // Of normal values, the median step is 0.954 standard deviations. Never 0: equal values are rounded ones.
  return Math.max(1e-6, (median / 0.954) ** 2);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
