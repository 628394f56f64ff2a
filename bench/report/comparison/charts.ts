// Draws a Comparison as inline SVG in the colours of the page: a forest plot of ratios, and the pairs behind one.

import type { Comparison, Contrast, Sample } from "../../result/comparison.ts";
import { escapeXml } from "../frame/escape.ts";
import {
  type Against,
  figureTitles,
  formatFigure,
  formatRatio,
  formatRatios,
  knownFigures,
} from "./words.ts";

const width = 1100;

/** A logarithmic scale from values to pixels. */
interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function scaleOf(values: readonly number[], from: number, until: number): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max(Math.log(high / low) * 0.06, 0.002);
  const [start, end] = [Math.log(low) - room, Math.log(high) + room];
  const at = (value: number): number => from + ((until - from) * (Math.log(value) - start)) / (end - start);
  return { at, ticks: ticksBetween(Math.exp(start), Math.exp(end)) };
}

/** Round values, few enough to read. */
function ticksBetween(low: number, high: number): number[] {
  const most = 9;
  const magnitude = 10 ** Math.floor(Math.log10(high - low));
  const step = [0.1, 0.2, 0.5, 1, 2, 5]
    .map((factor) => factor * magnitude)
    .find((size) => (high - low) / size <= most);
  if (high / low > 20 || step === undefined) {
    const powers = Array.from({ length: 40 }, (_, index) => 10 ** (index - 15));
    return powers.filter((power) => power >= low && power <= high);
  }
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

/** The ratio of every figure with its interval, and below it the control's; the margin as a band. */
export function forestPlot(comparison: Comparison, { name, figures, control }: Against): string {
  const names = knownFigures(comparison, figures);
  const [left, right, top, rowHeight] = [210, 880, 34, 46];
  const { margin, arms } = comparison;
  const shown = names
    .flatMap((figure) => [figures[figure], control?.[figure]])
    .filter((entry) => entry != null);
  const known = shown.flatMap(({ ratio, low, high }) => [ratio, low, high]).filter((value) => value !== null);
  const { at, ticks } = scaleOf([...known, 1 / (1 + margin), 1 + margin], left, right);
  const bottom = top + names.length * rowHeight;
  const parts = [
    rect("margin", at(1 / (1 + margin)), top, at(1 + margin), bottom),
    ...ticks.flatMap((tick) => [
      line("grid", at(tick), top, at(tick), bottom),
      text(at(tick), bottom + 18, formatRatio(tick), "soft", "middle"),
    ]),
    line("one", at(1), top - 6, at(1), bottom),
    text(
      left,
      top - 14,
      `${name} / ${arms[0]?.name ?? ""}; the band is the margin, hollow: the control`,
      "soft",
    ),
    ...names.flatMap((figure, row) => {
      const y = top + row * rowHeight + 18;
      const own = control?.[figure];
      return [
        text(left - 12, y + 4, figureTitles[figure], "", "end"),
        ...interval("b", figures[figure], at, y),
        ...(own === undefined ? [] : interval("control", own, at, y + 14)),
        text(right + 12, y + 4, formatRatios(figures[figure])),
      ];
    }),
  ];
  return svg(`Ratios of ${name} with 95 % intervals`, bottom + 28, parts);
}

function interval(
  style: string,
  { ratio, low, high }: Pick<Contrast, "ratio" | "low" | "high">,
  at: (value: number) => number,
  y: number,
): string[] {
  if (ratio === null) {
    return [];
  }
  return [
    ...(low === null || high === null ? [] : [line(`${style} interval`, at(low), y, at(high), y)]),
    circle(style, at(ratio), y, 4.5),
  ];
}

/** The primary figure of every process, round by round; the ratio is computed from them. */
export function pairsPlot(comparison: Comparison, { arm, name, figures }: Against): string {
  const { primary, samples, arms } = comparison;
  const points = samples.flatMap((sample) => {
    const value = sample.arm === 0 || sample.arm === arm ? sample.figures[primary] : null;
    return value == null || value <= 0 ? [] : [{ sample, value }];
  });
  if (points.length === 0) {
    return "";
  }
  const [left, right, top, bottom] = [90, 1080, 34, 300];
  const { at, ticks } = scaleOf(
    points.map(({ value }) => value),
    bottom,
    top,
  );
  const rounds = Math.max(...samples.map(({ round }) => round));
  const slot = (right - left) / rounds;
  const x = ({ round, arm: own, process }: Sample): number =>
    left +
    slot * (round - 0.5) +
    Math.min(slot, 40) * ((own === 0 ? -0.2 : 0.2) + (process === 1 ? -0.05 : 0.05));
  const isFar = ({ round, arm: own, process }: Sample): boolean =>
    figures[primary].outliers.some(
      (outlier) => outlier.round === round && outlier.arm === own && outlier.process === process,
    );
  const every = Math.ceil(rounds / 25);
  const parts = [
    ...ticks.flatMap((tick) => [
      line("grid", left, at(tick), right, at(tick)),
      text(left - 8, at(tick) + 4, formatFigure(primary, tick), "soft", "end"),
    ]),
    ...Array.from({ length: rounds }, (_, index) =>
      index % every === 0
        ? text(left + slot * (index + 0.5), bottom + 18, String(index + 1), "soft", "middle")
        : "",
    ),
    ...linksOf(points, rounds, (round) => left + slot * (round - 0.5), at, Math.min(slot, 40) * 0.2),
    ...points.flatMap(({ sample, value }) => [
      circle(sample.arm === 0 ? "a" : "b", x(sample), at(value), 3.5),
      isFar(sample) ? circle("far", x(sample), at(value), 8) : "",
    ]),
    ...legend([arms[0]?.name ?? "", name], left, figureTitles[primary]),
  ];
  return svg(`${figureTitles[primary]} of every process, by round`, bottom + 28, parts);
}

/** Lines from the mean of one arm to that of the other, in each round. */
function linksOf(
  points: readonly { readonly sample: Sample; readonly value: number }[],
  rounds: number,
  x: (round: number) => number,
  at: (value: number) => number,
  reach: number,
): string[] {
  const meanOf = (round: number, isBaseline: boolean): number | undefined => {
    const logs = points
      .filter(({ sample }) => sample.round === round && (sample.arm === 0) === isBaseline)
      .map(({ value }) => Math.log(value));
    return logs.length === 0 ? undefined : Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  };
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) => {
    const [a, b] = [meanOf(round, true), meanOf(round, false)];
    return a === undefined || b === undefined
      ? []
      : [line("link", x(round) - reach, at(a), x(round) + reach, at(b))];
  });
}

function legend([baseline = "", other = ""]: readonly string[], left: number, title: string): string[] {
  const second = left + 40 + baseline.length * 8;
  return [
    circle("a", left + 6, 14, 4.5),
    text(left + 16, 18, baseline),
    circle("b", second + 6, 14, 4.5),
    text(second + 16, 18, other),
    text(
      second + 50 + other.length * 8,
      18,
      `${title}, every process by round; ringed: far from the others`,
      "soft",
    ),
  ];
}

function svg(label: string, height: number, parts: readonly string[]): string {
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(label)}">${parts.join("")}</svg>`;
}

function line(style: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${style}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;
}

function rect(style: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<rect class="${style}" x="${px(x1)}" y="${px(y1)}" width="${px(x2 - x1)}" height="${px(y2 - y1)}"/>`;
}

function circle(style: string, x: number, y: number, radius: number): string {
  return `<circle class="${style}" cx="${px(x)}" cy="${px(y)}" r="${radius}"/>`;
}

function text(x: number, y: number, content: string, style = "", anchor = "start"): string {
  return `<text class="${style}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}
