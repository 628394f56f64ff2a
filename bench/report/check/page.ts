// Makes the page of CheckReports: the counts by status, and a table for each group.

import { formatElapsed } from "../../../src/lib/format.ts";
import { type CheckReport, countStatuses } from "../../result/check.ts";
import { describeCommand, describeEnvironment } from "../describe.ts";
import { commandWidth, type Page, type Section, type Subject } from "../frame/page.ts";
import { describeCounts, groupNames, groupsOf, headingsOf, rowsOf } from "./words.ts";

/** All reports on one page, one below the other. */
export function pageOfChecks(reports: readonly CheckReport[]): Page {
  const [first] = reports;
  const isOne = reports.length === 1;
  return {
    title: isOne && first !== undefined ? `check of ${first.url}` : `${reports.length} checks`,
    subjects: reports.map(subjectOf),
    sections: reports.map((report) => sectionOf(report, isOne)),
  };
}

function subjectOf(report: CheckReport): Subject {
  const { url, directUrl, failures, partial, durationMs, startedAt, environment, command } = report;
  const counts = countStatuses(report);
  return {
    title: url,
    badge: {
      text: failures.length === 0 ? "passed" : partial === null ? "failed" : "cut short",
      tone: failures.length === 0 ? "good" : "bad",
      meaning: describeCounts(report),
    },
    summary: [
      directUrl === null ? "The way to the server, by itself." : `Compared with ${directUrl}.`,
      `${formatElapsed(durationMs)}, connections had to stay for ${formatElapsed(report.idleMs)}`,
    ],
    tiles: [
      { label: "Pass", value: String(counts.pass) },
      { label: "Differ", value: String(counts.differs) },
      { label: "Fail", value: String(counts.fails) },
      { label: "Not tested", value: String(counts["not-tested"]) },
    ],
    failures,
    warnings: [],
    thresholds: [],
    command: describeCommand({ command, scenario: { seed: null } }, commandWidth),
    startedAt,
    environment: describeEnvironment(environment),
    document: report,
  };
}

function sectionOf(report: CheckReport, isOne: boolean): Section {
  const headings = headingsOf(report);
  return {
    title: isOne ? "Checks" : report.url,
    parts: groupsOf(report).map(({ group, checks }) => ({
      type: "table",
      name: groupNames[group],
      headings: [groupNames[group], ...headings.slice(1)],
      rows: rowsOf(report, checks, false).map((cells) => ({ cells })),
      textColumns: headings.map((_, column) => column),
    })),
  };
}
