// Defines the reports of SoakReports.

import { formatBytes, formatElapsed, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import {
  type Drift,
  type Growth,
  type SoakPoint,
  type SoakReport,
  soakKind,
  soakSchema,
  soakVersion,
} from "../../result/soak.ts";
import { formatUs } from "../describe.ts";
import type { Plot, Section } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { describeCloses, labelled } from "./text.ts";

type Format = (value: number) => string;

const soakReporting: SessionReporting<SoakReport> = {
  plural: "SoakReports",
  kind: soakKind,
  version: soakVersion,
  schema: soakSchema,
  describe,
  finding: ({ memory }) => `Memory: ${describeGrowth(memory, formatBytes)}.`,
  figures: [
    ["Memory", ({ memory }) => shortGrowth(memory, formatBytes)],
    ["Heap", ({ heap }) => shortGrowth(heap, formatBytes)],
    ["Descriptors", ({ descriptors }) => shortGrowth(descriptors, formatNumber)],
    ["p99 at first", ({ p99 }) => formatUs(p99.first)],
    ["p99 at last", ({ p99 }) => formatUs(p99.last)],
    ["CPU at first", ({ cpu }) => (cpu.first === null ? "-" : formatPercent(cpu.first))],
    ["CPU at last", ({ cpu }) => (cpu.last === null ? "-" : formatPercent(cpu.last))],
  ],
  blocks: (report, look) => [linesOf(report).flatMap(([label, text]) => labelled(label, text, look))],
  sections,
  lists: ["points"],
};

export const soakReports = sessionReports(soakReporting);

export function formatSoak(report: SoakReport, look: Look = plainLook): string {
  return formatSession(soakReporting, report, look);
}

/** `soak of 8 h 0 min after 5 min 0 s; 100 messages/s over 50 connections, each replaced after 1 min 0 s on average` */
function describe({ durationMs, warmupMs, load }: SoakReport): string {
  const churn =
    load.lifetimeMs === null ? "" : `, each replaced after ${formatElapsed(load.lifetimeMs)} on average`;
  return (
    `soak of ${formatElapsed(durationMs)} after ${formatElapsed(warmupMs)}; ${formatNumber(load.ratePerSecond)} messages/s ` +
    `of ${formatBytes(load.payloadBytes)} over ${formatNumber(load.connections)} connections${churn}`
  );
}

/** `no leak shown, more than 512 KiB/h excluded` */
function describeGrowth({ verdict, slope, probability, lows }: Growth, format: Format): string {
  if (verdict === "unknown") {
    return "unknown";
  }
  if (slope === null || verdict === "undecided") {
    return `undecided: only ${lows} low ${lows === 1 ? "point" : "points"}`;
  }
  const { perHour, low, high } = slope;
  const range = `${format(perHour)}/h (${format(low)} to ${format(high)})`;
  return verdict === "leak"
    ? `LEAK of ${range} in ${lows} low points, p = ${(probability ?? 0).toPrecision(2)}`
    : `no leak shown, more than ${format(Math.max(0, high))}/h excluded (${range}, ${lows} low points)`;
}

function shortGrowth({ verdict, slope }: Growth, format: Format): string {
  switch (verdict) {
    case "leak":
      return `leak, ${format(slope?.perHour ?? 0)}/h`;
    case "none":
      return `none above ${format(Math.max(0, slope?.high ?? 0))}/h`;
    case "undecided":
      return "undecided";
    case "unknown":
      return "-";
  }
}

function describeDrift({ verdict, first, last }: Drift, format: Format): string {
  return verdict === "unknown" || first === null || last === null
    ? "unknown: too short"
    : `${verdict}: ${format(first)} in the first quarter, ${format(last)} in the last`;
}

function linesOf(report: SoakReport): (readonly [label: string, text: string])[] {
  const { memory, heap, descriptors, p99, cpu, totals, closes } = report;
  return [
    ["memory", describeGrowth(memory, formatBytes)],
    ...(heap.verdict === "unknown" ? [] : [["heap", describeGrowth(heap, formatBytes)] as const]),
    ["descriptors", describeGrowth(descriptors, formatNumber)],
    ["latency p99", describeDrift(p99, formatUs)],
    ["CPU", describeDrift(cpu, formatPercent)],
    ...(totals === null
      ? []
      : [
          [
            "messages",
            `${formatNumber(totals.sent)} sent, ${formatNumber(totals.lost)} lost; ${formatNumber(totals.opened)} connections opened, ` +
              `${formatNumber(totals.failed)} failed, ${formatNumber(totals.closed)} closed by the target`,
          ] as const,
        ]),
    ...(closes.length === 0 ? [] : [["closes", describeCloses(closes).join(", ")] as const]),
  ];
}

function sections(reports: readonly SoakReport[], titles: readonly string[]): Section[] {
  const plot = (
    title: string,
    note: string,
    unit: Plot["y"]["unit"],
    read: (point: SoakPoint) => number | null,
  ): Plot => ({
    type: "plot",
    title,
    note,
    x: { label: "time", unit: "seconds" },
    y: { label: title, unit },
    lines: reports.map(({ points }, subject) => ({
      label: titles[subject] ?? "",
      subject,
      style: "solid",
      x: points.map(({ seconds }) => seconds),
      y: points.map(read),
    })),
  });
  const all = [
    plot("Memory", "anonymous memory, or RSS where that is all that is known", "bytes", (p) => p.memoryBytes),
    plot("Heap", "used by objects, as the page says", "bytes", (p) => p.heapBytes),
    plot("Descriptors", "open in the process", "number", (p) => p.descriptors),
    plot("Latency p99", "median of the seconds", "us", (p) => p.p99Us),
    plot("CPU", "per cent of a core", "percent", (p) => p.cpuPercent),
  ];
  const parts = all.filter(({ lines }) => lines.some(({ y }) => y.some((value) => value !== null)));
  return [{ title: "Over time", parts }];
}
