// Formats Comparisons as Markdown: a table of figures for each arm, then the control, warnings and the environment.

import { type Comparison, isAcceptable } from "../../result/comparison.ts";
import { describeEnvironment } from "../describe.ts";
import { formatTable } from "../markdown-table.ts";
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

/** All Comparisons, one after the other. */
export function formatComparisonsMarkdown(comparisons: readonly Comparison[]): string {
  return comparisons.map(formatOne).join("\n");
}

function formatOne(comparison: Comparison): string {
  const { arms, warnings, environment } = comparison;
  const [baseline] = arms;
  const blocks = [
    `### ${arms.map(({ name }) => name).join(" / ")}`,
    arms.map(({ name, target }) => `- ${name}: \`${target.replaceAll("`", "'")}\``).join("\n"),
    isAcceptable(comparison) ? "" : "**Not acceptable**: see the warnings.",
    describeDesign(comparison),
    ...againstBaseline(comparison).flatMap((against) => [
      tableOf(comparison, against, baseline?.name ?? ""),
      [describeControl(comparison, against), ...describePower(comparison, against)]
        .filter((sentence) => sentence !== undefined)
        .map((sentence) => `- ${sentence}`)
        .join("\n"),
    ]),
    warnings.length === 0 ? "" : `**Warnings**\n\n${warnings.map((warning) => `- ${warning}`).join("\n")}`,
    `- ${describeEnvironment(environment)}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function tableOf(comparison: Comparison, { name, figures }: Against, baseline: string): string {
  const { primary, margin } = comparison;
  return formatTable(
    ["Figure", baseline, name, `${name} / ${baseline} (95 % interval)`, "Finding"],
    knownFigures(comparison, figures).map((figure) => [
      figure === primary ? `**${figureTitles[figure]}**` : figureTitles[figure],
      formatSpread(figure, figures[figure].baseline),
      formatSpread(figure, figures[figure].value),
      formatRatios(figures[figure]),
      describeFinding(figures[figure], margin, name),
    ]),
    1,
  );
}
