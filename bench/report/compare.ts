// Reports a Comparison as text.

import { alignColumns } from "../../src/lib/columns.ts";
import { formatNumber } from "../../src/lib/format.ts";
import type { Comparison, Contrast, FigureName } from "../result/comparison.ts";
import type { Spread } from "../result/stats.ts";
import { describeEnvironment, describeLoad, formatUs } from "./describe.ts";

const figureTitles: Readonly<Record<FigureName, string>> = {
  serverCpuUsPerMessage: "server CPU per message",
  messagesPerSecond: "messages per second",
  p50Us: "latency p50",
  p99Us: "latency p99",
  p999Us: "latency p99.9",
};

/** All figures of all arms with median and range, ratio, noise and what may be concluded. */
export function formatComparison(comparison: Comparison): string {
  const { arms, rounds, scenario, contrasts, warnings, environment } = comparison;
  const load = describeLoad({
    scenario,
    loop: scenario.ratePerSecond === null ? "closed" : "open",
    window: { startedAt: comparison.startedAt, seconds: scenario.durationMs / 1000 },
  });
  const isReached = arms.some(({ target }) => /^wss?:/i.test(target));
  const blocks = [
    arms.map(({ name, target }, index) => `${index === 0 ? "baseline" : "compared"}  ${name}: ${target}`),
    [
      `${rounds} ABBA rounds${isReached ? "" : ", a fresh process each time"}: ${load}.`,
      isReached
        ? "Median (lowest to highest). Noise: the difference between two measurements of one arm. A URL is the same process each time, so this excludes noise between processes."
        : "Median (lowest to highest). Noise: the difference between two processes of one arm.",
    ],
    ...arms.slice(1).map((_, index) => contrastTable(comparison, index + 1)),
    contrasts.length === 0 ? ["No figure is known for every measurement."] : [],
    warnings.map((warning) => `! ${warning}`),
    [describeEnvironment(environment)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function contrastTable({ arms, contrasts }: Comparison, arm: number): string[] {
  const baseline = arms[0]?.name ?? "";
  const name = arms[arm]?.name ?? "";
  const rows = contrasts
    .filter((contrast) => contrast.arm === arm)
    .map((contrast) => [
      figureTitles[contrast.figure],
      formatSpread(contrast.baseline, (value) => formatFigure(contrast.figure, value)),
      formatSpread(contrast.value, (value) => formatFigure(contrast.figure, value)),
      formatSpread(contrast.ratio, formatRatio),
      `${formatRatio(contrast.noise.low)} to ${formatRatio(contrast.noise.high)}`,
      describeFinding(contrast, name),
    ]);
  return rows.length === 0
    ? []
    : alignColumns([["", baseline, name, `${name} / ${baseline}`, "noise", ""], ...rows]);
}

/** What may be said of the second arm. */
export function describeFinding({ finding, ratio }: Contrast, name: string): string {
  if (finding === "no-difference") {
    return "no difference shown";
  }
  const percent = Math.abs(ratio.median - 1) * 100;
  return `${name} ${finding} by ${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** A figure in its unit. */
export function formatFigure(figure: FigureName, value: number): string {
  return figure === "messagesPerSecond" ? formatNumber(Math.round(value)) : formatUs(value);
}

function formatSpread({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)} to ${format(max)})`;
}

function formatRatio(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 3 : 1);
}
