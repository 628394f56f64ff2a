// Draws one plot with uPlot in the colours of the page.

import uPlot from "uplot";
import type { Line, Plot } from "../frame/page.ts";
import { axisOf, formatValue, scaleOf } from "./axes.ts";

const font = "12px system-ui, sans-serif";
/** Lengths of dash and gap, in pixels. */
const dash = [6, 5];

/** Draws a plot into an element. @returns a function that redraws it in the current colours and width */
export function addPlot(place: HTMLElement, plot: Plot): () => void {
  const height = plot.isWide === true ? 380 : 260;
  const data = uPlot.join(plot.lines.map(({ x, y }): uPlot.AlignedData => [[...x], [...y]]));
  let drawn: uPlot | undefined;
  const draw = (): void => {
    drawn?.destroy();
    drawn = new uPlot(optionsOf(plot, place.clientWidth || 600, height), data, place);
  };
  draw();
  new ResizeObserver(() => drawn?.setSize({ width: place.clientWidth, height })).observe(place);
  return draw;
}

function optionsOf(plot: Plot, width: number, height: number): uPlot.Options {
  const { x, y, lines, marks = [] } = plot;
  return {
    width,
    height,
    scales: { x: scaleOf(x, false), y: scaleOf(y, true) },
    axes: [inked(axisOf(x, false)), inked(axisOf(y, true))],
    series: [
      { label: x.label, value: (_, value) => (value === null ? "" : formatValue(x, value)) },
      ...lines.map((line) => seriesOf(line, plot)),
    ],
    cursor: { points: { size: 6 }, drag: { x: true, y: false } },
    legend: { markers: { width: () => 0, fill: (_, index) => swatchOf(lines[index - 1]) } },
    hooks: { draw: [(drawn) => drawMarks(drawn, marks)] },
  };
}

/** The background of a swatch. */
function swatchOf(line: Line | undefined): string {
  const ink = color(`--c${(line?.subject ?? 0) % 8}`);
  return line?.style === "dashed"
    ? `repeating-linear-gradient(90deg, ${ink} 0 6px, transparent 6px 10px)`
    : ink;
}

function seriesOf({ label, subject, style, y: values }: Line, { y }: Plot): uPlot.Series {
  const stroke = color(`--c${subject % 8}`);
  const points = values.filter((value) => value !== null).length;
  return {
    label,
    value: (_, value) => (value === null ? "" : formatValue(y, value)),
    stroke,
    width: style === "points" ? 0 : 2,
    spanGaps: style !== "steps",
    // A line of one or two values is hardly visible without points.
    points: { show: style === "points" || (style !== "steps" && points <= 2) },
    ...(style === "dashed" ? { dash } : {}),
    ...(style === "steps" ? stepsOf(stroke) : {}),
  };
}

function stepsOf(stroke: string): Partial<uPlot.Series> {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return { width: 1.5, fill: `${stroke}2e`, ...(paths === undefined ? {} : { paths }) };
}

/** Draws vertical lines with their names at the top. */
function drawMarks(drawn: uPlot, marks: NonNullable<Plot["marks"]>): void {
  const { ctx, bbox } = drawn;
  ctx.save();
  ctx.strokeStyle = color("--soft");
  ctx.fillStyle = color("--soft");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  for (const { at, label } of marks) {
    const x = drawn.valToPos(at, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const isNearEdge = x + ctx.measureText(label).width > bbox.left + bbox.width;
    ctx.textAlign = isNearEdge ? "right" : "left";
    ctx.fillText(label, x + (isNearEdge ? -5 : 5) * devicePixelRatio, bbox.top + 13 * devicePixelRatio);
  }
  ctx.restore();
}

/** An axis in the colours of the page. */
function inked(axis: uPlot.Axis): uPlot.Axis {
  return {
    ...axis,
    stroke: color("--soft"),
    grid: { ...axis.grid, stroke: color("--grid"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
    font,
    labelFont: font,
  };
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
