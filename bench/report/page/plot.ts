// Plots on uPlot in the colours of the page, drawn again when those or the width change.

import uPlot from "uplot";
import { byId, element } from "./element.ts";

export interface PlotContent {
  readonly data: uPlot.AlignedData;
  readonly series: uPlot.Series[];
  readonly axes: readonly uPlot.Axis[];
  readonly scales: uPlot.Scales;
}

export interface PlotOptions {
  readonly title: string;
  readonly note: string;
  readonly isWide: boolean;
  /** Called each time the plot is drawn, since series hold the colours of that moment. */
  readonly build: () => PlotContent;
}

type Format = (value: number) => string;

/** How the second kind of line differs from the first, in pixels on and off. */
const dash = [6, 5];
const redraws: (() => void)[] = [];

/** Adds a plot with its caption to the page. */
export function addPlot({ title, note, isWide, build }: PlotOptions): void {
  const place = element("div", {});
  const caption = element("figcaption", {}, element("h2", {}, title), element("p", { class: "note" }, note));
  byId("plots").append(element("figure", { class: isWide ? "card wide" : "card" }, caption, place));
  const height = isWide ? 400 : 250;
  let plot: uPlot | undefined;
  const draw = (): void => {
    plot?.destroy();
    const { data, series, axes, scales } = build();
    const options = {
      width: place.clientWidth || 600,
      height,
      scales,
      series,
      axes: axes.map((axis) => ({ ...inkOfAxes(), ...axis })),
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
    };
    plot = new uPlot(options, data, place);
  };
  draw();
  redraws.push(draw);
  new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height })).observe(place);
}

/** Draws every plot again when the system changes between light and dark. */
export function watchColors(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const draw of redraws) {
      draw();
    }
  });
}

/** The line of one measurement. */
export function lineOf(index: number, label: string, format: Format, isDashed = false): uPlot.Series {
  return {
    label,
    value: (_, value) => formatKnown(format, value),
    stroke: color(`--c${index % 8}`),
    width: 2,
    ...(isDashed ? { dash } : {}),
    spanGaps: true,
    points: { show: false },
  };
}

/** A value in the legend, which is null where the pointer is on none. */
export function formatKnown(format: Format, value: number | null): string {
  return value === null ? "-" : format(value);
}

/** Labels of a logarithmic axis: only whole powers of ten. */
export function tenfoldLabels(format: Format): (plot: uPlot, splits: number[]) => string[] {
  return (_, splits) => splits.map((split) => (isTenfold(split) ? format(split) : ""));
}

function isTenfold(value: number): boolean {
  return value > 0 && Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;
}

/** A logarithmic scale: whole powers of ten around the data keep at least two labels on the axis. */
export const logarithmic: uPlot.Scale = {
  distr: 3,
  range: (_, low, high) =>
    low == null || low <= 0
      ? [1, 1000]
      : [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.0001))],
};

function inkOfAxes(): uPlot.Axis {
  return {
    stroke: color("--soft"),
    grid: { stroke: color("--grid"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
