// Draws line and bar plots with uPlot in the page's colours.

import uPlot from "uplot";
import { formatCompact } from "../../lib/format.ts";
import { themeChanged } from "./theme.ts";

/** CSS custom properties for the colours of series. */
export type PlotColor = "--plot-a" | "--plot-b" | "--plot-c";

export interface LinePlotOptions {
  readonly height: number;
  readonly colors: readonly PlotColor[];
  /** Formats a value for the axis. */
  readonly format: (value: number) => string;
  /** Formats an x value; without it there is no x axis. */
  readonly formatX?: (value: number) => string;
  /** The range of the x axis; by default, all values. */
  readonly rangeX?: readonly [number, number];
  /** Allowed steps of the axis; by default, round decimal ones. */
  readonly stepsX?: readonly number[];
  readonly stepsY?: readonly number[];
  /** The minimum upper end of the axis. */
  readonly atLeast: number;
  /** Plots with the same name share their cursor. */
  readonly syncKey?: string;
  /** Called with the point under the pointer; undefined when it has left. */
  readonly hovered?: (index: number | undefined) => void;
}

/** x values first, then one list for each series. null leaves a gap. */
export type PlotData = readonly [readonly number[], ...(readonly (number | null)[])[]];

export interface Plot {
  setData(data: PlotData): void;
}

/** Steps of an axis of bytes: 1 to 512 of each binary unit. */
export const binarySteps = Array.from({ length: 40 }, (_, power) => 2 ** power);

/** Steps of an axis of counts. */
export const countSteps = Array.from(
  { length: 30 },
  (_, at) => ([1, 2, 5][at % 3] ?? 1) * 10 ** Math.floor(at / 3),
);

const axisWidth = 52;
const axisHeight = 24;

/** Creates a plot that fills the width of its element and follows its size and the theme. */
export function createLinePlot(place: HTMLElement, options: LinePlotOptions): Plot {
  return createPlot(place, options.height, options.colors.length, () => lineOptions(place, options));
}

export interface BarPlotOptions {
  readonly height: number;
  /** Formats the label of a bar. */
  readonly label: (index: number) => string;
  /** Called with the bar under the pointer; undefined when it has left. */
  readonly hovered?: (index: number | undefined) => void;
}

/** Bars at x = 0, 1, 2, ... */
export function createBarPlot(place: HTMLElement, options: BarPlotOptions): Plot {
  return createPlot(place, options.height, 1, () => barOptions(place, options));
}

function createPlot(place: HTMLElement, height: number, series: number, options: () => uPlot.Options): Plot {
  let data: PlotData = [[], ...Array.from({ length: series }, () => [])];
  let plot: uPlot | undefined;

  // A hidden element has no width; the plot is created once it has one.
  function rebuild(): void {
    plot?.destroy();
    plot = place.clientWidth === 0 ? undefined : new uPlot(options(), asUplotData(data), place);
  }

  new ResizeObserver(() => {
    if (plot === undefined) {
      rebuild();
    } else if (place.clientWidth > 0) {
      plot.setSize({ width: place.clientWidth, height });
    }
  }).observe(place);
  document.addEventListener(themeChanged, rebuild);

  return {
    setData(next) {
      data = next;
      plot?.setData(asUplotData(data));
    },
  };
}

function lineOptions(place: HTMLElement, options: LinePlotOptions): uPlot.Options {
  const color = colorsOf(place);
  const { formatX } = options;
  return {
    width: place.clientWidth,
    height: options.height,
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      ...(options.syncKey === undefined ? {} : { sync: { key: options.syncKey } }),
    },
    hooks: { setCursor: [(self) => options.hovered?.(self.cursor.idx ?? undefined)] },
    scales: {
      x: { time: false, range: (_, min, max) => rangeX(options.rangeX, min, max) },
      y: { range: (_, _min, max) => [0, Math.max(options.atLeast, (max ?? 0) * 1.08)] },
    },
    axes: [
      formatX === undefined
        ? { show: false }
        : axis(color, (values) => values.map(formatX), axisHeight, options.stepsX),
      axis(color, (values) => values.map(options.format), axisWidth, options.stepsY),
    ],
    padding: [8, formatX === undefined ? 4 : 14, formatX === undefined ? 6 : 0, 0],
    series: [
      {},
      ...options.colors.map((name) => ({
        stroke: color(name),
        width: 1.5,
        fill: `${color(name)}1f`,
        points: { show: false },
      })),
    ],
  };
}

function rangeX(
  fixed: readonly [number, number] | undefined,
  min: number | null,
  max: number | null,
): uPlot.Range.MinMax {
  if (fixed !== undefined) {
    return [...fixed];
  }
  const start = min ?? 0;
  const end = max ?? 0;
  return start === end ? [start, start + 1] : [start, end];
}

function barOptions(place: HTMLElement, { height, label, hovered }: BarPlotOptions): uPlot.Options {
  const color = colorsOf(place);
  const bars = uPlot.paths.bars?.({ size: [0.86, 40], gap: 1 });
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    hooks: { setCursor: [(self) => hovered?.(self.cursor.idx ?? undefined)] },
    scales: {
      x: { time: false, range: (_, min, max) => [(min ?? 0) - 0.6, (max ?? 0) + 0.6] },
      y: { range: (_, _min, max) => [0, Math.max(1, (max ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis(color, (values) => values.map((at) => (Number.isInteger(at) ? label(at) : "")), axisHeight),
        incrs: [1, 2, 4, 8, 16],
      },
      axis(
        color,
        (values) => values.map((value) => (Number.isInteger(value) ? formatCompact(value) : "")),
        axisWidth,
      ),
    ],
    padding: [8, 24, 0, 0],
    series: [
      {},
      {
        ...(bars === undefined ? {} : { paths: bars }),
        fill: color("--plot-a"),
        stroke: color("--plot-a"),
        width: 0,
        points: { show: false },
      },
    ],
  };
}

function axis(
  color: (name: string) => string,
  values: (splits: number[]) => string[],
  size: number,
  steps?: readonly number[],
): uPlot.Axis {
  return {
    size,
    ...(steps === undefined ? {} : { incrs: [...steps] }),
    gap: 6,
    space: size === axisHeight ? 56 : 30,
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    stroke: color("--muted"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    values: (_, splits) => values(splits),
  };
}

function colorsOf(place: HTMLElement): (name: string) => string {
  const style = getComputedStyle(place);
  return (name) => style.getPropertyValue(name).trim();
}

function asUplotData(data: PlotData): uPlot.AlignedData {
  const [xs, ...series] = data;
  return [[...xs], ...series.map((values) => [...values])];
}
