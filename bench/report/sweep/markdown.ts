// Formats Sweeps as Markdown: a table of the combinations, warnings and the environment.

import type { Sweep } from "../../result/sweep.ts";
import { describeEnvironment } from "../describe.ts";
import { formatList, formatTable } from "../markdown-table.ts";
import { describeSweep, tableOf } from "./words.ts";

/** All Sweeps, one after the other. */
export function formatSweepsMarkdown(sweeps: readonly Sweep[]): string {
  return sweeps.map(formatOne).join("\n");
}

function formatOne(sweep: Sweep): string {
  const { label, target, failures, warnings, environment } = sweep;
  const { headings, rows } = tableOf(sweep);
  const blocks = [
    `### ${label ?? target}`,
    `- \`${target.replaceAll("`", "'")}\`\n- ${describeSweep(sweep)}`,
    failures.length === 0 ? "" : `**Not acceptable**\n\n${formatList(failures)}`,
    formatTable(headings, rows, 0),
    warnings.length === 0 ? "" : `**Warnings**\n\n${formatList(warnings)}`,
    `- ${describeEnvironment(environment)}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
