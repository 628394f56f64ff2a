// Plots over the seconds of the measured window.

import uPlot from "uplot";
import type { Second } from "../../result/schema.ts";
import type { PageResult } from "../page-data.ts";
import { addPlot, formatKnown, lineOf, logarithmic, tenfoldLabels } from "./plot.ts";

export interface TimePlotOptions {
  readonly title: string;
  readonly note: string;
  /** Figures of a second, each a line for every result. */
  readonly fields: readonly {
    readonly name: keyof Second;
    readonly suffix?: string;
    readonly isDashed?: boolean;
  }[];
  readonly format: (value: number) => string;
  readonly isLogarithmic?: boolean;
  /** The axis reaches at least this far up. */
  readonly atLeast?: number;
  /** Steps that the axis may take between its numbers. */
  readonly steps?: readonly number[];
}

/** Steps of an axis of bytes. */
export const powersOfTwo = Array.from({ length: 41 }, (_, power) => 2 ** power);

const axisWidth = 72;

/** Adds lines over time, aligned on the seconds of all results; nothing when no result knows the figures. */
export function addTimePlot(results: readonly PageResult[], options: TimePlotOptions): void {
  const { title, note, format, isLogarithmic = false, atLeast = 1e-9, steps } = options;
  const fields = options.fields.filter(({ name }) =>
    results.some(({ series }) => series.some((second) => second[name] !== null)),
  );
  if (fields.length === 0) {
    return;
  }
  // A line of one or two seconds is hardly seen without its points.
  const points = { show: results.every(({ series }) => series.length <= 2) };
  const linear: uPlot.Scale = { range: (_, _low, high) => [0, Math.max(high ?? 0, atLeast) * 1.08] };
  addPlot({
    title,
    note,
    isWide: false,
    build: () => ({
      data: uPlot.join(
        results.flatMap(({ series }) =>
          fields.map(
            ({ name }): uPlot.AlignedData => [
              series.map(({ endSeconds }) => endSeconds),
              series.map((second) => second[name]),
            ],
          ),
        ),
      ),
      series: [
        { label: "time", value: (_, seconds) => formatKnown(formatSeconds, seconds) },
        ...results.flatMap((result, index) =>
          fields.map(({ suffix, isDashed }) => ({
            ...lineOf(
              index,
              suffix === undefined ? result.title : `${result.title} (${suffix})`,
              format,
              isDashed,
            ),
            points,
          })),
        ),
      ],
      scales: { x: { time: false }, y: isLogarithmic ? logarithmic : linear },
      axes: [
        { values: (_, splits) => splits.map(formatSeconds) },
        {
          size: axisWidth,
          ...(steps === undefined ? {} : { incrs: [...steps] }),
          values: isLogarithmic ? tenfoldLabels(format) : (_, splits) => splits.map(format),
        },
      ],
    }),
  });
}

function formatSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(1))} s`;
}
