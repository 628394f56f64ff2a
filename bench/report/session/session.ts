// Defines the reports of SessionReports.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import {
  type SessionGroup,
  type SessionReport,
  type SessionStep,
  sessionKind,
  sessionSchema,
  sessionVersion,
} from "../../result/session.ts";
import { formatUs } from "../describe.ts";
import type { Line, Plot, Section, Table } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { describeCloses, labelled } from "./text.ts";

/** One group in one step. */
interface Row {
  readonly step: SessionStep;
  readonly name: string;
  readonly group: SessionGroup;
}

const columns: readonly (readonly [heading: string, cell: (row: Row) => string])[] = [
  ["step", ({ step }) => (step.complete ? step.name : `${step.name} (cut short)`)],
  ["group", ({ name }) => name],
  ["open", ({ group }) => formatNumber(group.openConnections)],
  ["messages/s", ({ group, step }) => formatNumber(countOf(group, "received") / step.seconds)],
  ["p50", ({ group }) => formatUs(latencyOf(group)?.p50)],
  ["p99", ({ group }) => formatUs(latencyOf(group)?.p99)],
  ["max", ({ group }) => formatUs(latencyOf(group)?.max)],
  ["lost", ({ group }) => formatNumber(countOf(group, "lost") + countOf(group, "lostPings"))],
];

const wideColumns: typeof columns = [
  ...columns,
  ["opened", ({ group }) => formatNumber(countOf(group, "opened"))],
  ["failed", ({ group }) => formatNumber(countOf(group, "failed"))],
  ["closed", ({ group }) => formatNumber(countOf(group, "closed") + countOf(group, "closedExpected"))],
  ["handshake p99", ({ group }) => formatUs(group.times["open"]?.latencyUs.p99)],
  [
    "server CPU",
    ({ step }) => (step.server?.cpuPercent == null ? "-" : formatPercent(step.server.cpuPercent)),
  ],
  ["client CPU", ({ step }) => formatPercent(step.client.cpuPercent)],
];

const sessionReporting: SessionReporting<SessionReport> = {
  plural: "SessionReports",
  kind: sessionKind,
  version: sessionVersion,
  schema: sessionSchema,
  describe,
  finding: (report) => `${describeCounts(report)}.`,
  figures: [
    ["Answered", (report) => formatNumber(sumOf(report, "answered"))],
    ["p99, worst step", (report) => formatUs(worstP99(report))],
    ["Lost", (report) => formatNumber(sumOf(report, "lost"))],
    ["Closed", (report) => formatNumber(sumOf(report, "closed"))],
    ["Failed", (report) => formatNumber(sumOf(report, "failed"))],
  ],
  blocks: (report, look) => [
    [
      ...labelled("messages", describeCounts(report), look),
      ...(report.closes.length === 0
        ? []
        : labelled("closes", describeCloses(report.closes).join(", "), look)),
    ],
    alignColumns(
      [
        columns.map(([heading]) => heading),
        ...rowsOf(report).map((row) => columns.map(([, cell]) => cell(row))),
      ],
      "right",
    ),
  ],
  sections,
  lists: ["steps", "groups", "connect", "parts"],
};

export const sessionFileReports = sessionReports(sessionReporting);

export function formatSessionReport(report: SessionReport, look: Look = plainLook): string {
  return formatSession(sessionReporting, report, look);
}

/** `3 steps over 10 s: echo on 64 connections, ping on 1,000` */
function describe({ groups, steps, parts }: SessionReport): string {
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const loads = groups.map(
    ({ traffic, connections }, i) =>
      `${traffic} on ${formatNumber(connections)}${i === 0 ? " connections" : ""}`,
  );
  return `${steps.length} ${steps.length === 1 ? "step" : "steps"} over ${formatNumber(seconds)} s: ${loads.join(", ")}${parts.length === 0 ? "" : `, merged from ${parts.length} generators`}`;
}

function describeCounts(report: SessionReport): string {
  const count = (counter: string): string => formatNumber(sumOf(report, counter));
  return (
    `${count("sent")} sent, ${count("answered")} answered, ${count("lost")} lost, ${count("received")} received; ` +
    `${count("closed")} connections closed by the target, ${count("failed")} failed`
  );
}

function rowsOf({ steps }: SessionReport): Row[] {
  return steps.flatMap((step) =>
    step.seconds === 0 ? [] : Object.entries(step.groups).map(([name, group]) => ({ step, name, group })),
  );
}

/** The latency of messages, or the round trip of pings. */
function latencyOf({ times }: SessionGroup) {
  return (times["latency"] ?? times["ping"])?.latencyUs;
}

function countOf({ counters }: SessionGroup, counter: string): number {
  return counters[counter] ?? 0;
}

function sumOf(report: SessionReport, counter: string): number {
  return rowsOf(report)
    .filter(({ step }) => step.measured)
    .reduce((sum, { group }) => sum + countOf(group, counter), 0);
}

function worstP99(report: SessionReport): number | null {
  const known = rowsOf(report).flatMap(({ step, group }) => {
    const p99 = latencyOf(group)?.p99;
    return step.measured && p99 !== undefined ? [p99] : [];
  });
  return known.length === 0 ? null : Math.max(...known);
}

function sections(reports: readonly SessionReport[], titles: readonly string[]): Section[] {
  return [
    {
      title: "Steps",
      parts: reports.map(
        (report, subject): Table => ({
          type: "table",
          name: `Steps of ${titles[subject] ?? ""}`,
          headings: wideColumns.map(([heading]) => heading),
          rows: rowsOf(report).map((row) => ({ subject, cells: wideColumns.map(([, cell]) => cell(row)) })),
          textColumns: [0, 1],
        }),
      ),
    },
    {
      title: "Over time",
      parts: [
        timePlot("Messages", "per second", "number", reports, titles, (second) => second.messagesPerSecond),
        timePlot("Latency", "p99 of each second", "us", reports, titles, (second) => second.p99Us),
        timePlot("Connections", "open", "number", reports, titles, (second) => second.openConnections),
      ],
    },
  ];
}

type Second = SessionGroup["series"][number];

function timePlot(
  title: string,
  note: string,
  unit: "number" | "us",
  reports: readonly SessionReport[],
  titles: readonly string[],
  read: (second: Second) => number | null,
): Plot {
  const lines = reports.flatMap(({ groups, steps }, subject) =>
    groups.map(({ name }): Line => {
      const seconds = steps.flatMap((step) => step.groups[name]?.series ?? []);
      return {
        label: reports.length === 1 ? name : `${titles[subject] ?? ""}: ${name}`,
        subject,
        style: "solid",
        x: seconds.map(({ endSeconds }) => endSeconds),
        y: seconds.map(read),
      };
    }),
  );
  return {
    type: "plot",
    title,
    note,
    x: { label: "time", unit: "seconds" },
    y: { label: note, unit },
    lines: lines.filter(({ y }) => y.some((value) => value !== null)),
  };
}
