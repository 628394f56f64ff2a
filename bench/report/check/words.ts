// Formats the sentences and tables that all reports of checks share.

import { formatElapsed } from "../../../src/lib/format.ts";
import { type Checked, type CheckGroup, type CheckReport, countStatuses } from "../../result/check.ts";

export const statusNames: Readonly<Record<Checked["status"], string>> = {
  pass: "pass",
  differs: "DIFFERS",
  fails: "FAILS",
  "not-tested": "not tested",
};

export const groupNames: Readonly<Record<CheckGroup, string>> = {
  handshake: "Handshake",
  messages: "Messages",
  control: "Pings and pongs",
  closing: "Closing",
  idle: "Idle connections",
};

/** `ws://proxy/echo, compared with ws://10.0.0.5:9998/echo · 21 checks in 1 min 6 s` */
export function describeTarget({ url, directUrl, checks, durationMs }: CheckReport): string {
  const compared = directUrl === null ? "" : `, compared with ${directUrl}`;
  return `${url}${compared} · ${checks.length} checks in ${formatElapsed(durationMs)}`;
}

/** `18 pass, 1 differs, 2 fail, 1 not tested` */
export function describeCounts(report: Pick<CheckReport, "checks">): string {
  const counts = countStatuses(report);
  return [
    `${counts.pass} pass`,
    ...(counts.differs === 0 ? [] : [`${counts.differs} ${counts.differs === 1 ? "differs" : "differ"}`]),
    ...(counts.fails === 0 ? [] : [`${counts.fails} ${counts.fails === 1 ? "fails" : "fail"}`]),
    ...(counts["not-tested"] === 0 ? [] : [`${counts["not-tested"]} not tested`]),
  ].join(", ");
}

export interface GroupOfChecks {
  readonly group: CheckGroup;
  readonly checks: readonly Checked[];
}

/** The checks by group, in the order of the report. */
export function groupsOf({ checks }: Pick<CheckReport, "checks">): GroupOfChecks[] {
  return [...new Set(checks.map(({ group }) => group))].map((group) => ({
    group,
    checks: checks.filter((check) => check.group === group),
  }));
}

/** Headings of a table of checks; the column for the direct route is left out without one. */
export function headingsOf({ directUrl }: CheckReport): string[] {
  return ["Check", "Status", "Seen", ...(directUrl === null ? [] : ["Directly"]), "What to do"];
}

/** Rows of that table. @param withGroup adds the group as the first column */
export function rowsOf(
  { directUrl }: CheckReport,
  checks: readonly Checked[],
  withGroup: boolean,
): string[][] {
  return checks.map(({ group, title, status, seen, direct, advice }) => [
    ...(withGroup ? [groupNames[group]] : []),
    ...[title, statusNames[status], seen],
    ...(directUrl === null ? [] : [direct?.seen ?? ""]),
    advice ?? "",
  ]);
}
