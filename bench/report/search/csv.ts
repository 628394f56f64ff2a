// Formats Searches as CSV (RFC 4180): a row for each trial and goal, always with the same columns.

import type { Goal, Search, Trial } from "../../result/search.ts";
import { formatRow } from "../csv-row.ts";

type Cell = string | number | boolean | null | undefined;

interface Row {
  readonly search: Search;
  readonly goal: Goal;
  readonly index: number;
  readonly purpose: "search" | "confirm" | "latency";
  readonly trial: Trial;
}

const columns: readonly (readonly [string, (row: Row) => Cell])[] = [
  ["target", ({ search }) => search.label ?? search.target],
  ["over", ({ search }) => search.over],
  ["slo", ({ goal }) => goal.slo],
  ["verdict", ({ goal }) => goal.verdict],
  ["lower", ({ goal }) => goal.lower],
  ["upper", ({ goal }) => goal.upper],
  ["limitedBy", ({ goal }) => goal.limitedBy],
  ["purpose", ({ purpose }) => purpose],
  ["startedAt", ({ trial }) => trial.startedAt],
  ["durationMs", ({ trial }) => trial.durationMs],
  ["load", ({ trial }) => trial.load],
  ["state", ({ trial, index }) => trial.outcomes[index]?.state],
  ["cause", ({ trial, index }) => trial.outcomes[index]?.cause],
  ["reason", ({ trial, index }) => trial.outcomes[index]?.reason],
  ["messagesPerSecond", ({ trial }) => trial.messagesPerSecond],
  ["latencyUs.p50", ({ trial }) => trial.latencyUs?.p50],
  ["latencyUs.p90", ({ trial }) => trial.latencyUs?.p90],
  ["latencyUs.p99", ({ trial }) => trial.latencyUs?.p99],
  ["latencyUs.p999", ({ trial }) => trial.latencyUs?.p999],
  ["latencyUs.max", ({ trial }) => trial.latencyUs?.max],
  ["lagUs", ({ trial }) => trial.lagUs],
  ["busiestThreadPercent", ({ trial }) => trial.busiestThreadPercent],
  ["serverCpuPercent", ({ trial }) => trial.serverCpuPercent],
  ["serverCpuUsPerMessage", ({ trial }) => trial.serverCpuUsPerMessage],
];

/** All Searches with one header; unknown figures are empty cells. */
export function formatSearchesCsv(searches: readonly Search[]): string {
  const rows = searches.flatMap((search) =>
    search.goals.flatMap((goal, index) => {
      const row =
        (purpose: Row["purpose"]) =>
        (trial: Trial): Row => ({ search, goal, index, purpose, trial });
      return [
        ...search.trials.map(row("search")),
        ...search.confirm.filter((entry) => entry.goal === index).map(({ trial }) => row("confirm")(trial)),
        ...search.latencies.map(({ trial }) => row("latency")(trial)),
      ];
    }),
  );
  return [
    columns.map(([name]) => name),
    ...rows.map((row) => columns.map(([, read]) => String(read(row) ?? ""))),
  ]
    .map(formatRow)
    .join("");
}
