// Formats a Comparison as text.

import { alignColumns } from "../../../src/lib/columns.ts";
import type { Comparison } from "../../result/comparison.ts";
import { describeEnvironment } from "../describe.ts";
import {
  type Against,
  againstBaseline,
  describeControl,
  describeDesign,
  describeFinding,
  describePower,
  figureTitles,
  formatRatios,
  formatSpread,
  knownFigures,
} from "./words.ts";

/** Every figure of every arm with median and range, its ratio to the first arm's, and what may be concluded. */
export function formatComparison(comparison: Comparison): string {
  const { arms, warnings, environment } = comparison;
  const blocks = [
    arms.map(({ name, target }, index) => `${index === 0 ? "baseline" : "compared"}  ${name}: ${target}`),
    [describeDesign(comparison)],
    ...againstBaseline(comparison).map((against) => describeArm(comparison, against)),
    warnings.map((warning) => `! ${warning}`),
    [describeEnvironment(environment)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function describeArm(comparison: Comparison, against: Against): string[] {
  const { arms, primary, margin } = comparison;
  const { name, figures } = against;
  const baseline = arms[0]?.name ?? "";
  const rows = knownFigures(comparison, figures).map((figure) => [
    `${figureTitles[figure]}${figure === primary ? " (primary)" : ""}`,
    formatSpread(figure, figures[figure].baseline),
    formatSpread(figure, figures[figure].value),
    formatRatios(figures[figure]),
    describeFinding(figures[figure], margin, name),
  ]);
  const header = [
    "",
    `${baseline}, median (range)`,
    `${name}, median (range)`,
    `${name} / ${baseline} (95 % interval)`,
    "",
  ];
  const control = describeControl(comparison, against);
  return [
    ...alignColumns([header, ...rows]),
    "",
    ...(control === undefined ? [] : [control]),
    ...describePower(comparison, against),
  ];
}
