// Defines the reports of DrainReports.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import {
  type DrainReport,
  type DrainSecond,
  drainKind,
  drainSchema,
  drainVersion,
} from "../../result/drain.ts";
import type { Latency } from "../../result/schema.ts";
import { formatUs } from "../describe.ts";
import type { Plot, Section } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { overTime } from "./over-time.ts";
import { describeCloses, labelled } from "./text.ts";

const drainReporting: SessionReporting<DrainReport> = {
  plural: "DrainReports",
  kind: drainKind,
  version: drainVersion,
  schema: drainSchema,
  describe,
  finding,
  figures: [
    ["Accepted", ({ messages }) => formatNumber(messages.accepted)],
    ["Lost", ({ messages }) => formatNumber(messages.lost)],
    ["Crossed", ({ messages }) => formatNumber(messages.crossed)],
    ["Back", ({ gaps }) => formatNumber(gaps.back)],
    ["Gap p50", ({ gaps }) => formatUs(gaps.latencyUs?.p50)],
    ["Gap max", ({ gaps }) => formatUs(gaps.latencyUs?.max)],
    ["p99 before", ({ before }) => formatUs(before?.p99)],
    ["p99 from then on", ({ after }) => formatUs(after?.p99)],
  ],
  blocks: (report, look) => [
    linesOf(report).flatMap(([label, text]) => labelled(label, text, look)),
    secondTable(report),
  ],
  sections,
  lists: ["seconds"],
};

export const drainReports = sessionReports(drainReporting);

export function formatDrain(report: DrainReport, look: Look = plainLook): string {
  return formatSession(drainReporting, report, look);
}

/** `SIGTERM to 1234 after 10 s; 1,000 messages/s of 64 B over 64 connections` */
function describe({ trigger, load }: DrainReport): string {
  return (
    `${trigger.what} after ${formatNumber(trigger.atSeconds)} s; ${formatNumber(load.ratePerSecond)} messages/s ` +
    `of ${formatBytes(load.payloadBytes)} over ${formatNumber(load.connections)} connections`
  );
}

function finding({ messages, gaps }: DrainReport): string {
  const { lost, accepted } = messages;
  const loss = `${formatNumber(lost)} of ${formatNumber(accepted)} accepted echoes lost`;
  const { latencyUs, back } = gaps;
  return latencyUs === null
    ? `${loss}.`
    : `${loss}; ${formatNumber(back)} clients were away for ${formatUs(latencyUs.p50)} (p50), at most ${formatUs(latencyUs.max)}.`;
}

type Line = readonly [label: string, text: string];

function linesOf(report: DrainReport): Line[] {
  const { messages, closes, trigger, gaps, failed, before, after } = report;
  const { crossed, unsent, corrupt } = messages;
  return [
    [
      "echoes",
      `${formatNumber(messages.accepted)} accepted, ${formatNumber(messages.answered)} answered, ` +
        `${formatNumber(messages.lost)} LOST` +
        (corrupt === 0 ? "" : `, ${formatNumber(corrupt)} corrupt`) +
        (crossed === 0 ? "" : `; ${formatNumber(crossed)} more crossed a close frame`) +
        (unsent === 0 ? "" : `; ${formatNumber(unsent)} were due and could not be sent`),
    ],
    ["closes", closes.length === 0 ? "none" : describeCloses(closes).join(", ")],
    ["clients", describeGaps(gaps, failed)],
    ["drain", describeTrigger(trigger)],
    [
      "latency",
      `p99 ${formatUs(before?.p99)} before, ${formatUs(after?.p99)} from then on${slower(before, after)}`,
    ],
  ];
}

function slower(before: Latency | null, after: Latency | null): string {
  return before === null || after === null || before.p99 === 0
    ? ""
    : ` (${formatPercent((100 * after.p99) / before.p99)})`;
}

function describeGaps({ back, absent, latencyUs }: DrainReport["gaps"], failed: number): string {
  const gap =
    latencyUs === null
      ? ""
      : ` after p50 ${formatUs(latencyUs.p50)}, p99 ${formatUs(latencyUs.p99)}, at most ${formatUs(latencyUs.max)}`;
  return (
    `${formatNumber(back)} came back${gap}; ${formatNumber(absent)} had no connection at the end` +
    (failed === 0 ? "" : `; ${formatNumber(failed)} attempts failed`)
  );
}

function describeTrigger({ kind, what, atSeconds, seconds, exitCode }: DrainReport["trigger"]): string {
  const began = `${what} at ${formatNumber(atSeconds)} s`;
  if (seconds === null) {
    return `${began}, not done at the end`;
  }
  return kind === "signal"
    ? `${began}; the process was gone ${formatNumber(seconds)} s later`
    : `${began}; it took ${formatNumber(seconds)} s, exit code ${exitCode ?? "unknown"}`;
}

/** A table of the seconds around the drain in which something happened. */
function secondTable({ seconds, trigger }: DrainReport): string[] {
  const shown = seconds.filter(
    ({ endSeconds, closed, failed }) =>
      closed > 0 || failed > 0 || Math.abs(endSeconds - trigger.atSeconds - 0.5) <= 1.5,
  );
  const columns: readonly (readonly [string, (second: DrainSecond) => string])[] = [
    ["second", ({ endSeconds }) => formatNumber(endSeconds)],
    ["echoes", ({ answered }) => formatNumber(answered)],
    ["p99", ({ p99Us }) => formatUs(p99Us)],
    ["open", ({ open }) => formatNumber(open)],
    ["closed", ({ closed }) => formatNumber(closed)],
    ["refused", ({ failed }) => formatNumber(failed)],
  ];
  return shown.length === 0
    ? []
    : alignColumns(
        [
          columns.map(([name]) => name),
          ...shown.slice(0, 20).map((second) => columns.map(([, read]) => read(second))),
        ],
        "right",
      );
}

function sections(reports: readonly DrainReport[], titles: readonly string[]): Section[] {
  const plot = (
    title: string,
    note: string,
    unit: "number" | "us",
    read: (second: DrainSecond) => number | null,
  ): Plot =>
    overTime(reports, titles, {
      title,
      note,
      y: { label: title, unit, isLogarithmic: unit === "us" },
      marks: reports.map(({ trigger }) => ({ at: trigger.atSeconds, label: "drain" })),
      read,
    });
  return [
    {
      title: "Over time",
      parts: [
        plot("Open connections", "at the end of each second", "number", ({ open }) => open),
        plot("Echoes", "answered in each second", "number", ({ answered }) => answered),
        plot("Latency p99", "from the intended send time", "us", ({ p99Us }) => p99Us),
        plot("Closed connections", "in each second", "number", ({ closed }) => closed),
      ],
    },
    {
      title: "Closes",
      parts: reports.map(({ closes }, subject) => ({
        type: "table" as const,
        name: `Closes of ${titles[subject] ?? ""}`,
        headings: ["Second", "Kind", "Code", "Status", "Connections"],
        textColumns: [1],
        rows: closes.map(({ second, kind, code, status, count }) => ({
          subject,
          cells: [String(second), kind, String(code ?? "-"), String(status ?? "-"), formatNumber(count)],
        })),
      })),
    },
  ];
}
