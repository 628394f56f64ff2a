// Formats the phrases and figures that all reports of a Comparison share.

import { formatNumber } from "../../../src/lib/format.ts";
import type { Comparison, Contrast, Contrasts, Controls, FigureName } from "../../result/comparison.ts";
import type { Spread } from "../../result/stats.ts";
import { describeLoad, formatUs } from "../describe.ts";

export const figureTitles: Readonly<Record<FigureName, string>> = {
  serverCpuPerMessage: "server CPU per message",
  messagesPerSecond: "messages per second",
  p50: "latency p50",
  p99: "latency p99",
  p999: "latency p99.9",
};

/** One arm, compared with the first. */
export interface Against {
  readonly arm: number;
  readonly name: string;
  readonly figures: Contrasts;
  readonly control: Controls | null;
}

/** Every arm but the first. */
export function againstBaseline({ arms, figures, control, further }: Comparison): Against[] {
  return [{ arm: 1, figures, control }, ...further].map((entry) => ({
    ...entry,
    name: arms[entry.arm]?.name ?? String(entry.arm),
  }));
}

/** The figures that at least one measurement has, the primary one first. */
export function knownFigures({ primary }: Comparison, figures: Contrasts): FigureName[] {
  const names = Object.keys(figures) as FigureName[];
  const known = names.filter((name) => figures[name].ratio !== null || name === primary);
  return [primary, ...known.filter((name) => name !== primary)];
}

/** Describes the finding about an arm: `B higher by 7.6 %`. */
export function describeFinding(
  { finding, ratio, beyondMargin }: Contrast,
  margin: number,
  name: string,
): string {
  switch (finding) {
    case "higher":
    case "lower": {
      const size = `${name} ${finding} by ${formatShare(Math.abs((ratio ?? 1) - 1))}`;
      return beyondMargin ? size : `${size}, which may be within ${formatShare(margin)}`;
    }
    case "equivalent":
      return `equivalent within ${formatShare(margin)}`;
    case "undecided":
      return "undecided";
  }
}

/** `1.076 (1.049 to 1.103)` */
export function formatRatios(ratios: {
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
}): string {
  const { ratio, low, high } = ratios;
  if (ratio === null) {
    return "unknown";
  }
  return low === null || high === null
    ? `${formatRatio(ratio)} (no interval)`
    : `${formatRatio(ratio)} (${formatRatio(low)} to ${formatRatio(high)})`;
}

export function formatRatio(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 3 : 1);
}

/** A share in per cent: `7.6 %`, `2 %`. */
export function formatShare(share: number): string {
  const percent = 100 * share;
  return `${Number(percent.toFixed(percent < 9.95 ? 1 : 0))} %`;
}

/** A figure in its unit. */
export function formatFigure(figure: FigureName, value: number): string {
  return figure === "messagesPerSecond" ? formatNumber(Math.round(value)) : formatUs(value);
}

/** Median, lowest and highest of a figure. */
function formatSpread(figure: FigureName, spread: Spread | null): string {
  if (spread === null) {
    return "-";
  }
  const { median, min, max } = spread;
  return `${formatFigure(figure, median)} (${formatFigure(figure, min)} to ${formatFigure(figure, max)})`;
}

/** `10 ABBA rounds, a fresh process each time: 64 connections x 1 in flight, ...` */
export function describeDesign(comparison: Comparison): string {
  const { scenario, rounds, arms, startedAt, samples } = comparison;
  const load = describeLoad({
    scenario,
    loop: scenario.ratePerSecond === null ? "closed" : "open",
    window: { startedAt, seconds: scenario.durationMs / 1000 },
  });
  if (rounds === 0) {
    const counts = arms.map((_, index) => samples.filter(({ arm }) => arm === index).length);
    return `Stored Results, ${counts.join(" against ")}: ${load}.`;
  }
  const isReached = arms.some(({ target }) => /^wss?:/i.test(target));
  const process = isReached ? "" : ", a fresh process each time";
  return `${rounds} ABBA ${rounds === 1 ? "round" : "rounds"}${process}: ${load}.`;
}

/** Describes the smallest difference that this comparison detects, and the rounds that a smaller one needs. */
export function describePower(
  { primary, margin, rounds }: Comparison,
  { figures, control }: Against,
): string[] {
  const { detectable, roundsNeeded } = figures[primary];
  const noise = control?.[primary].noise;
  const title = figureTitles[primary];
  const unit = rounds === 0 ? "Results on each side" : "rounds";
  return [
    noise == null
      ? undefined
      : `Two processes of one arm differ by noise: ${formatShare(noise)} (standard deviation) in ${title}.`,
    detectable === null
      ? undefined
      : `Four in five such comparisons would find a difference of ${formatShare(detectable - 1)} in ${title}` +
        `${roundsNeeded === null ? "" : `; one of ${formatShare(margin)} takes ${roundsNeeded} ${unit}`}.`,
  ].filter((sentence) => sentence !== undefined);
}

/** Describes the control in one sentence; undefined without an interval. */
export function describeControl({ primary }: Comparison, { control }: Against): string | undefined {
  const own = control?.[primary];
  return own?.holds == null
    ? undefined
    : `Control: second over first process of the same arm ${formatRatios(own)}, ${own.holds ? "which holds 1" : "which does not hold 1: the machine drifted"}.`;
}

/** A row for each figure with its name, both arms, their ratio and the finding. @param titleOf the name of a figure */
export function figureRows(
  comparison: Comparison,
  { name, figures }: Against,
  titleOf: (figure: FigureName, isPrimary: boolean) => string = (figure, isPrimary) =>
    `${figureTitles[figure]}${isPrimary ? " (primary)" : ""}`,
): string[][] {
  const { primary, margin } = comparison;
  return knownFigures(comparison, figures).map((figure) => [
    titleOf(figure, figure === primary),
    formatSpread(figure, figures[figure].baseline),
    formatSpread(figure, figures[figure].value),
    formatRatios(figures[figure]),
    describeFinding(figures[figure], margin, name),
  ]);
}
