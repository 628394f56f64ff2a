// Judges whether a run was steady, by change points in the logarithms of its figures per second.

import { findLevels, meanOf, shortestStretch } from "./change-points.ts";
import type { Second } from "./schema.ts";

/** `too-short`: unknown. `unsteady`: the level changed, without getting better at the start or worse at the end. */
export const steadinessVerdicts = ["steady", "warming-up", "slowing-down", "unsteady", "too-short"] as const;

export interface Steadiness {
  readonly verdict: (typeof steadinessVerdicts)[number];
  /** Time of the last change, from the start of the window; null if there was none. */
  readonly changedAtSeconds: number | null;
  /** The figure that changed, and its factor from the first level to the last. */
  readonly figure: string | null;
  readonly factor: number | null;
}

/** One figure over time; null if unknown. */
export interface Track {
  readonly figure: string;
  readonly isBetterHigh: boolean;
  readonly values: readonly (number | null)[];
}

/** Fewer seconds say nothing. */
const fewestSeconds = 8;
/** Smaller changes do not matter. */
const leastChange = 0.05;
/** More points are not needed to find a change, and take time by the square. */
const mostPoints = 600;

/** @param endSeconds the time of each value, from the start of the window */
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

/** Seconds on one level after which it counts as kept: fewer could not be told from a slope. */
const settledSeconds = 2 * shortestStretch;

/** Whether every figure has kept its level for the last seconds; false while there are too few. */
export function hasSettled(tracks: readonly Track[]): boolean {
  return tracks.every((track) => {
    const change = changeOf(track);
    const { length } = track.values;
    return length >= fewestSeconds && (change === undefined || change.lastStart <= length - settledSeconds);
  });
}

/** Judges the series of a Result. */
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
  const starts = findLevels(logs);
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
