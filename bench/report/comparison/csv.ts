// Formats Comparisons as CSV (RFC 4180): a row for each figure of each arm, always with the same columns.

import { type Comparison, type FigureName, figureNames, isAcceptable } from "../../result/comparison.ts";
import { formatRow } from "../csv-row.ts";
import { type Against, againstBaseline } from "./words.ts";

type Cell = string | number | boolean | null | undefined;

const columns: readonly (readonly [
  string,
  (comparison: Comparison, against: Against, figure: FigureName) => Cell,
])[] = [
  ["startedAt", ({ startedAt }) => startedAt],
  ["baseline", ({ arms }) => arms[0]?.name],
  ["arm", (_, { name }) => name],
  ["figure", (_, __, figure) => figure],
  ["isPrimary", ({ primary }, _, figure) => figure === primary],
  ["finding", (_, { figures }, figure) => figures[figure].finding],
  ["ratio", (_, { figures }, figure) => figures[figure].ratio],
  ["low", (_, { figures }, figure) => figures[figure].low],
  ["high", (_, { figures }, figure) => figures[figure].high],
  ["beyondMargin", (_, { figures }, figure) => figures[figure].beyondMargin],
  ["margin", ({ margin }) => margin],
  ["probability", (_, { figures }, figure) => figures[figure].probability],
  ["rank.ratio", (_, { figures }, figure) => figures[figure].rank?.ratio],
  ["rank.low", (_, { figures }, figure) => figures[figure].rank?.low],
  ["rank.high", (_, { figures }, figure) => figures[figure].rank?.high],
  ["detectable", (_, { figures }, figure) => figures[figure].detectable],
  ["roundsNeeded", (_, { figures }, figure) => figures[figure].roundsNeeded],
  ["rounds", (_, { figures }, figure) => figures[figure].rounds],
  ["missing", (_, { figures }, figure) => figures[figure].missing],
  ["baseline.median", (_, { figures }, figure) => figures[figure].baseline?.median],
  ["arm.median", (_, { figures }, figure) => figures[figure].value?.median],
  ["control.ratio", (_, { control }, figure) => control?.[figure].ratio],
  ["control.low", (_, { control }, figure) => control?.[figure].low],
  ["control.high", (_, { control }, figure) => control?.[figure].high],
  ["control.holds", (_, { control }, figure) => control?.[figure].holds],
  ["control.noise", (_, { control }, figure) => control?.[figure].noise],
  ["outliers", (_, { figures }, figure) => figures[figure].outliers.length],
  ["acceptable", (comparison) => isAcceptable(comparison)],
  ["warnings", ({ warnings }) => warnings.join(" ")],
];

/** All Comparisons with one header; unknown figures are empty cells. */
export function formatComparisonsCsv(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap((comparison) =>
    againstBaseline(comparison).flatMap((against) =>
      figureNames.map((figure) => columns.map(([, read]) => String(read(comparison, against, figure) ?? ""))),
    ),
  );
  return [columns.map(([name]) => name), ...rows].map(formatRow).join("");
}
