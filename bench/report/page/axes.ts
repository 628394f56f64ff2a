// Defines the axes of plots: scales without empty decades, and tick labels in the axis's unit.

import type uPlot from "uplot";
import { formatBytes, formatCompact, formatDurationUs, formatPercent } from "../../../src/lib/format.ts";
import type { Axis } from "../frame/page.ts";

type Unit = Axis["unit"];

const formats: Readonly<Record<Unit, (value: number) => string>> = {
  number: formatCompact,
  us: formatDurationUs,
  bytes: formatBytes,
  percent: (value) => formatPercent(value),
  seconds: (seconds) => `${Number(seconds.toFixed(2))} s`,
  percentile: formatPosition,
};

/** Distances between ticks of an axis of bytes. */
const powersOfTwo = Array.from({ length: 41 }, (_, power) => 2 ** power);
/** Width of a vertical axis, in pixels. */
const sideRoom = 72;

/** Formats a value in the unit of its axis. */
export function formatValue({ unit }: Axis, value: number): string {
  return formats[unit](value);
}

/** The scale of an axis; a logarithmic one covers only the range of the data. */
export function scaleOf({ unit, isLogarithmic = false, atLeast = 1e-9 }: Axis, isSide: boolean): uPlot.Scale {
  if (isLogarithmic) {
    return {
      time: false,
      distr: 3,
      range: (_, low, high) =>
        low == null || high == null || low <= 0 ? [1, 1000] : isSide ? roundOut(low, high) : [low, high],
    };
  }
  return isSide
    ? { range: (_, _low, high) => [0, Math.max(high ?? 0, atLeast) * 1.08] }
    : { time: false, ...(unit === "seconds" ? { range: (_, _low, high) => [0, high ?? 1] } : {}) };
}

/** The ticks and the label of an axis. */
export function axisOf(axis: Axis, isSide: boolean): uPlot.Axis {
  const { label, unit, isLogarithmic = false } = axis;
  const side = isSide ? { size: sideRoom } : {};
  const numbers = {
    label,
    labelSize: 20,
    ...side,
  };
  if (isLogarithmic) {
    const filter = (_: uPlot, splits: number[]): (number | null)[] => labelledTicks(splits);
    return {
      ...numbers,
      filter,
      grid: { filter },
      splits: (_plot, _axis, low, high) => ticksOf(low, high),
      values: (_, splits) => splits.map((split) => (split === null ? "" : formatTick(axis, split))),
    };
  }
  return {
    ...numbers,
    ...(unit === "bytes" ? { incrs: powersOfTwo } : {}),
    values: (_, splits) => splits.map((split) => formatTick(axis, split)),
  };
}

/** Formats round numbers without decimals: `10 us`, not `10.0 us`. */
function formatTick(axis: Axis, value: number): string {
  return formatValue(axis, value)
    .replace(/(\.\d*?)0+(?= |$)/, "$1")
    .replace(/\.(?= |$)/, "");
}

/** Extends a range to 1, 2 or 5 times a power of ten on both sides. */
function roundOut(low: number, high: number): [number, number] {
  const steps = [1, 2, 5, 10];
  const below = 10 ** Math.floor(Math.log10(low));
  const above = 10 ** Math.floor(Math.log10(high));
  const from = below * (steps.findLast((step) => step * below <= low * 1.0001) ?? 1);
  const until = above * (steps.find((step) => step * above >= high * 0.9999) ?? 10);
  return until > from ? [from, until] : [from, from * 2];
}

/** 1 to 9 times each power of ten in the range. */
function ticksOf(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, index) => first + index);
  return powers
    .flatMap((power) => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= low * 0.9999 && tick <= high * 1.0001);
}

/** Labels powers of ten if there are enough of them, or else also their multiples by 2 and 5. */
function labelledTicks(ticks: readonly number[]): (number | null)[] {
  const isTimes = (tick: number, digits: readonly number[]): boolean => {
    const [digit] = tick.toExponential(0).split("e");
    return digits.includes(Number(digit));
  };
  const digits = ticks.filter((tick) => isTimes(tick, [1])).length >= 3 ? [1] : [1, 2, 5];
  return ticks.map((tick) => (isTimes(tick, digits) ? tick : null));
}

/** The percentile at 1 / (1 - p): 10 is 90 %, 1000 is 99.9 %. */
function formatPosition(position: number): string {
  const percent = 100 * (1 - 1 / position);
  return `${Number(percent.toFixed(Math.max(0, Math.ceil(Math.log10(position)) - 1)))}%`;
}
