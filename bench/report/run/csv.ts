// Reports Results as CSV (RFC 4180): a row per Result, a column per figure, named as in the file.

import type { Result } from "../../result/schema.ts";
import { formatRow } from "../csv-row.ts";

/** Fields that are not figures: encoded data, and lists of records. */
const leftOut = ["histograms", "parts", "series", "spans", "steps", "closes"];
/** Fields with columns of their own. */
const judgement = ["thresholds", "warnings", "failures"];

/** All Results as CSV with a header row; unknown figures are empty cells. */
export function formatCsv(results: readonly Result[]): string {
  return formatDocumentsCsv(results.flatMap(rowsOf), leftOut);
}

/** A row for the Result, then one for each of its steps, with the step's name and figures. */
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

/** Formats documents of any kind as CSV. @param without fields that are not figures */
export function formatDocumentsCsv(documents: readonly Judged[], without: readonly string[]): string {
  const excluded = new Set([...without, ...judgement]);
  const rows = documents.map(
    (document) => new Map([...flatten(document, "", excluded), ...judgementOf(document)]),
  );
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  // A field that is null in one Result may be an object in another: its columns are then those of the object.
  const columns = names.filter((name) => !names.some((other) => other.startsWith(`${name}.`)));
  const lines = [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ""))];
  return lines.map(formatRow).join("");
}

/** Failures, thresholds and warnings, always in the same columns. */
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
