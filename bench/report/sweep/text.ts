// Formats a Sweep as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Sweep } from "../../result/sweep.ts";
import { describeEnvironment } from "../describe.ts";
import { describeSweep, tableOf } from "./words.ts";

/** A row for each combination; the last figures are left out if they do not fit. */
export function formatSweep(sweep: Sweep, look: Look = plainLook): string {
  const { label, target, failures, warnings, environment } = sweep;
  const { width, paint } = look;
  const fit = (text: string): string[] => wrapText(text, width);
  const blocks = [
    fit(`${label === null ? "" : `${label}: `}${target} · ${describeSweep(sweep)}`).map(paint.bold),
    failures.length === 0
      ? []
      : fit(`NOT ACCEPTABLE: ${failures.join("; ")}.`).map((line) => paint.bold(paint.red(line))),
    fittingTable(sweep, width),
    warnings.flatMap((warning) => fit(`! ${warning}`).map(paint.yellow)),
    fit(describeEnvironment(environment)).map(paint.dim),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function fittingTable(sweep: Sweep, width: number): string[] {
  const { headings, rows, leading } = tableOf(sweep);
  for (let columns = headings.length; columns > leading + 1; columns -= 1) {
    const table = alignColumns(
      [headings, ...rows].map((row) => row.slice(0, columns)),
      "right",
    );
    if (table.every((line) => line.length <= width)) {
      return table;
    }
  }
  return alignColumns(
    [headings, ...rows].map((row) => row.slice(0, leading + 1)),
    "right",
  );
}
