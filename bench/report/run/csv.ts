// Reports Results as CSV (RFC 4180): a row per Result, a column per figure, named as in the file.

import type { Result } from "../../result/schema.ts";
import { formatRow } from "../csv-row.ts";

/** What a table of figures has no use for: encoded data, and lists of records. */
const leftOut = new Set(["histograms", "parts", "series", "spans", "thresholds", "warnings", "failures"]);

/** All Results as CSV with a header row; unknown figures are empty cells. */
export function formatCsv(results: readonly Result[]): string {
  const rows = results.map((result) => new Map([...flatten(result, ""), ...judgementOf(result)]));
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  // What is null in one Result may have parts in another: those are the columns then.
  const columns = names.filter((name) => !names.some((other) => other.startsWith(`${name}.`)));
  const lines = [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ""))];
  return lines.map(formatRow).join("");
}

/** Whether a Result may be used, and why not: the same columns for every Result. */
function judgementOf({ failures, thresholds, warnings }: Result): [string, string][] {
  return [
    ["acceptable", String(failures.length === 0)],
    ["failures", failures.join("; ")],
    [
      "thresholds",
      thresholds.map(({ expression, passed }) => `${expression} ${passed ? "met" : "not met"}`).join("; "),
    ],
    ["warnings", warnings.join(" ")],
  ];
}

/** Every leaf with its path, as in `summary.latencyUs.p99`. */
function flatten(value: unknown, path: string): [string, string][] {
  if (value === null || value === undefined) {
    return [[path, ""]];
  }
  if (Array.isArray(value)) {
    return [[path, value.join(" ")]];
  }
  if (typeof value !== "object") {
    return [[path, String(value)]];
  }
  return Object.entries(value)
    .filter(([key]) => path !== "" || !leftOut.has(key))
    .flatMap(([key, inner]) => flatten(inner, path === "" ? key : `${path}.${key}`));
}
