// Reports checks as CSV (RFC 4180): a row for each check of each report.

import type { CheckReport } from "../../result/check.ts";
import { formatRow } from "../csv-row.ts";

const columns = [
  "url",
  "directUrl",
  "startedAt",
  "group",
  "id",
  "status",
  "seen",
  "directStatus",
  "directSeen",
  "advice",
];

export function formatChecksCsv(reports: readonly CheckReport[]): string {
  const rows = reports.flatMap(({ url, directUrl, startedAt, checks }) =>
    checks.map(({ group, id, status, seen, direct, advice }) => [
      ...[url, directUrl ?? "", startedAt, group, id, status, seen],
      ...[direct?.status ?? "", direct?.seen ?? "", advice ?? ""],
    ]),
  );
  return [columns, ...rows].map(formatRow).join("");
}
