// Reports checks as Markdown: a table for each report, failed checks first.

import type { CheckReport } from "../../result/check.ts";
import { describeEnvironment } from "../describe.ts";
import { formatList, formatTable } from "../markdown-table.ts";
import { describeCounts, describeTarget, headingsOf, rowsOf } from "./words.ts";

export function formatChecksMarkdown(reports: readonly CheckReport[]): string {
  return `${reports.map(formatOne).join("\n\n")}\n`;
}

function formatOne(report: CheckReport): string {
  const { failures, checks, environment } = report;
  const headings = ["Group", ...headingsOf(report)];
  const blocks = [
    `**${describeTarget(report)}**: ${describeCounts(report)}`,
    failures.length === 0 ? "" : `**Not acceptable**\n\n${formatList(failures)}`,
    formatTable(headings, rowsOf(report, checks, true), headings.length),
    formatList([describeEnvironment(environment)]),
  ];
  return blocks.filter((block) => block !== "").join("\n\n");
}
