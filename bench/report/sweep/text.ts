// Formats a Sweep as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Sweep } from "../../result/sweep.ts";
import { failureLines, footBlocks, joinBlocks } from "../blocks.ts";
import { describeSweep, tableOf } from "./words.ts";

/** A row for each combination; the last figures are left out if they do not fit. */
export function formatSweep(sweep: Sweep, look: Look = plainLook): string {
  const { label, target, failures } = sweep;
  const title = `${label === null ? "" : `${label}: `}${target} · ${describeSweep(sweep)}`;
  return joinBlocks([
    wrapText(title, look.width).map(look.paint.bold),
    failureLines(failures, look),
    fittingTable(sweep, look.width),
    ...footBlocks(sweep, look),
  ]);
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
