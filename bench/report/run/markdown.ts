// Reports Results as Markdown: one table, then warnings and environments.

import { formatBytes, formatNumber } from "../../../src/lib/format.ts";
import type { Result } from "../../result/schema.ts";
import { formatActual } from "../../result/threshold.ts";
import { describeEnvironment, describeLoad, describeLoop, formatUs, titleOf } from "../describe.ts";
import { formatList, formatTable } from "../markdown-table.ts";
import { stepTitle, wideStepColumns } from "./steps.ts";
import { describeProbe } from "./text.ts";

const columns: readonly (readonly [string, (result: Result) => string])[] = [
  ["Target", (result) => titleOf(result)],
  ["Load", (result) => describeLoad(result)],
  ["Messages/s", ({ summary }) => formatNumber(summary.messagesPerSecond)],
  ["Payload/s", ({ summary }) => formatBytes(summary.bytesPerSecond)],
  ["p50", ({ summary }) => formatUs(summary.latencyUs?.p50)],
  ["p99", ({ summary }) => formatUs(summary.latencyUs?.p99)],
  ["p99.9", ({ summary }) => formatUs(summary.latencyUs?.p999)],
  ["max", ({ summary }) => formatUs(summary.latencyUs?.max)],
  ["Server CPU/message", ({ server }) => formatUs(server?.cpuUsPerMessage)],
  ["Client CPU/message", ({ client }) => formatUs(client.cpuUsPerMessage)],
  ["Verdict", ({ verdict }) => verdict],
  ["Acceptable", ({ failures }) => (failures.length === 0 ? "yes" : "**no**")],
];

function formatSteps(result: Result): string {
  const headings = ["Stage", ...wideStepColumns.map(([heading]) => heading)];
  const rows = result.steps.map((step) => [
    stepTitle(step),
    ...wideStepColumns.map(([, cell]) => cell(step)),
  ]);
  return `**Stages: ${titleOf(result)}**\n\n${formatTable(headings, rows, 1)}`;
}

/** One table with a row for each Result, then warnings and environments. */
export function formatMarkdown(results: readonly Result[]): string {
  const rows = results.map((result) => columns.map(([, value]) => value(result)));
  const loops = new Set(results.map(({ loop }) => describeLoop(loop)));
  const environments = new Set(results.map(({ environment }) => describeEnvironment(environment)));
  const warnings = results.flatMap((result) =>
    result.warnings.map((warning) => `${titleOf(result)}: ${warning}`),
  );
  const failures = results.flatMap((result) =>
    result.failures.map((failure) => `${titleOf(result)}: ${failure}`),
  );
  const thresholds = results.flatMap((result) =>
    result.thresholds.map(
      (threshold) =>
        `${titleOf(result)}: ${threshold.expression} ${threshold.passed ? "met" : "**not met**"} (it was ${formatActual(threshold)})`,
    ),
  );
  const blocks = [
    failures.length === 0 ? "" : `**Not acceptable**\n\n${formatList(failures)}`,
    formatTable(
      columns.map(([heading]) => heading),
      rows,
    ),
    ...results.filter(({ steps }) => steps.length > 0).map(formatSteps),
    formatList(
      results.flatMap((result) =>
        result.probe === null ? [] : [`Probe of ${titleOf(result)}: ${describeProbe(result.probe)}`],
      ),
    ),
    formatList([...loops, ...environments]),
    thresholds.length === 0 ? "" : `**Thresholds**\n\n${formatList(thresholds)}`,
    warnings.length === 0 ? "" : `**Warnings**\n\n${formatList(warnings)}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
