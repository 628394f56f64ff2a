// Defines the table of a Result's steps for all formats.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatNumber, formatPercent } from "../../../src/lib/format.ts";
import type { Result, ResultStep } from "../../result/schema.ts";
import { formatUs } from "../describe.ts";

/** A column of the table. */
export type StepColumn = readonly [heading: string, cell: (step: ResultStep) => string];

/** The columns of every table: the main figures of a step. */
const stepColumns: readonly StepColumn[] = [
  ["Due/s", ({ messages, seconds }) => formatNumber(messages.due / seconds)],
  ["Messages/s", ({ summary }) => formatNumber(summary.messagesPerSecond)],
  ["p50", ({ summary }) => formatUs(summary.latencyUs?.p50)],
  ["p99", ({ summary }) => formatUs(summary.latencyUs?.p99)],
  ["max", ({ summary }) => formatUs(summary.latencyUs?.max)],
  ["Lost", ({ messages }) => formatNumber(messages.lost + messages.unsent + messages.corrupt)],
];

/** The columns of wide tables. */
export const wideStepColumns: readonly StepColumn[] = [
  ...stepColumns,
  ["p99.9", ({ summary }) => formatUs(summary.latencyUs?.p999)],
  ["Connections", ({ connections }) => formatNumber(connections.open)],
  ["Server CPU", ({ server }) => (server?.cpuPercent == null ? "-" : formatPercent(server.cpuPercent))],
  ["Client CPU", ({ client }) => formatPercent(client.cpuPercent)],
  ["Generator lag p99", ({ client }) => formatUs(client.lagUs)],
];

/** The name of a step, marked if it was cut short. */
export function stepTitle({ name, complete }: ResultStep): string {
  return complete ? name : `${name} (cut short)`;
}

/** Lines of at most `width` characters; none for a Result of one step. */
export function stepLines({ steps }: Result, width: number): string[] {
  if (steps.length === 0) {
    return [];
  }
  const rows = [
    ["stage", ...stepColumns.map(([heading]) => heading.toLowerCase())],
    ...steps.map((step) => [stepTitle(step), ...stepColumns.map(([, cell]) => cell(step))]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const figures = widths.slice(1).reduce((sum, column) => sum + column + 2, 0);
  const nameWidth = Math.max(8, Math.min(widths[0] ?? 0, width - figures));
  const clipped = rows.map(([name = "", ...cells]) => [
    name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}~` : name,
    ...cells,
  ]);
  return alignColumns(clipped, "figures");
}
