// Formats Comparisons as Markdown: a table of figures for each arm, then the control, warnings and the environment.

import { type Comparison, isAcceptable } from "../../result/comparison.ts";
import { describeEnvironment } from "../describe.ts";
import { formatTable } from "../markdown-table.ts";
import {
  type Against,
  againstBaseline,
  describeControl,
  describeDesign,
  describePower,
  figureRows,
  figureTitles,
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

function tableOf(comparison: Comparison, against: Against, baseline: string): string {
  const { name } = against;
  return formatTable(
    ["Figure", baseline, name, `${name} / ${baseline} (95 % interval)`, "Finding"],
    figureRows(comparison, against, (figure, isPrimary) =>
      isPrimary ? `**${figureTitles[figure]}**` : figureTitles[figure],
    ),
    1,
  );
}
