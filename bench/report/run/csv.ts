// Reports Results as CSV (RFC 4180): a row per Result, a column per figure, named as in the file.

import type { Result } from "../../result/schema.ts";
import { formatRow } from "../csv-row.ts";

/** What a table of figures has no use for: encoded data, and lists of records. */
const leftOut = ["histograms", "parts", "series", "spans", "steps", "closes"];
/** What has columns of its own. */
const judgement = ["thresholds", "warnings", "failures"];

/** All Results as CSV with a header row; unknown figures are empty cells. */
export function formatCsv(results: readonly Result[]): string {
  return formatDocumentsCsv(results.flatMap(rowsOf), leftOut);
}

/** A Result, and after it a row for each of its steps: with the step's name, and its figures in place of the whole's. */
function rowsOf(result: Result): readonly Result[] {
  const { intervals, ...rest } = result;
  return [
    result,
    ...result.steps.map(({ name, fromSeconds, seconds, complete, connections, histograms, ...figures }) => ({
      ...rest,
      ...figures,
      intervals: null,
      window: { ...result.window, seconds },
      connections: { ...connections, requested: result.connections.requested },
      step: { name, fromSeconds, complete },
    })),
  ];
}

type Judged = Pick<Result, "failures" | "thresholds" | "warnings">;

/** The same for any kind of document. @param without fields that are no figures */
export function formatDocumentsCsv(documents: readonly Judged[], without: readonly string[]): string {
  const excluded = new Set([...without, ...judgement]);
  const rows = documents.map(
    (document) => new Map([...flatten(document, "", excluded), ...judgementOf(document)]),
  );
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  // What is null in one Result may have parts in another: those are the columns then.
  const columns = names.filter((name) => !names.some((other) => other.startsWith(`${name}.`)));
  const lines = [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ""))];
  return lines.map(formatRow).join("");
}

/** Whether a document may be used, and why not: the same columns for every one. */
function judgementOf({ failures, thresholds, warnings }: Judged): [string, string][] {
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
function flatten(value: unknown, path: string, excluded: ReadonlySet<string>): [string, string][] {
  if (value === null || value === undefined) {
    return [[path, ""]];
  }
  if (Array.isArray(value)) {
    const cells = value.map((item) => (typeof item === "object" ? JSON.stringify(item) : String(item)));
    return [[path, cells.join(" ")]];
  }
  if (typeof value !== "object") {
    return [[path, String(value)]];
  }
  return Object.entries(value)
    .filter(([key]) => path !== "" || !excluded.has(key))
    .flatMap(([key, inner]) => flatten(inner, path === "" ? key : `${path}.${key}`, excluded));
}
