// Defines the reports of IdleReports.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import {
  type IdleReport,
  type IdleStep,
  idleKind,
  idleSchema,
  idleVersion,
  type MemoryMeasure,
  ownBytes,
  processBytes,
} from "../../result/idle.ts";
import { formatUs } from "../describe.ts";
import type { Plot, Section } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { describeCloses, labelled } from "./text.ts";

const measureNames: Readonly<Record<MemoryMeasure, string>> = {
  anonymous: "anonymous memory",
  pss: "PSS",
  rss: "RSS",
};

const idleReporting: SessionReporting<IdleReport> = {
  plural: "IdleReports",
  kind: idleKind,
  version: idleVersion,
  schema: idleSchema,
  describe,
  finding: (report) => `${describeEach(report)}.`,
  figures: [
    ["Each, process", ({ process }) => inBytes(process?.bytesPerConnection ?? null)],
    ["Each, kernel", ({ kernel }) => inBytes(kernel?.bytesPerConnection ?? null)],
    ["1 GiB holds", ({ connectionsPerGiB }) => (connectionsPerGiB === null ? "-" : about(connectionsPerGiB))],
    ["CPU per ping", ({ pingCpu }) => formatUs(pingCpu?.us)],
    ["Closed", ({ connections }) => formatNumber(connections.closed)],
    ["Failed", ({ connections }) => formatNumber(connections.failed)],
  ],
  blocks: (report, look) => [
    linesOf(report).flatMap(([label, text]) => labelled(label, text, look)),
    stepTable(report),
  ],
  sections,
  lists: ["steps"],
};

export const idleReports = sessionReports(idleReporting);

export function formatIdle(report: IdleReport, look: Look = plainLook): string {
  return formatSession(idleReporting, report, look);
}

/** `idle connections: 4 steps up to 10,000, held for 10 s each, a ping every 30 s` */
function describe({ steps, holdMs, pingIntervalMs }: IdleReport): string {
  const most = Math.max(0, ...steps.map(({ connections }) => connections));
  return [
    `idle connections: ${steps.length} ${steps.length === 1 ? "step" : "steps"} up to ${formatNumber(most)}`,
    `held for ${formatNumber(holdMs / 1000)} s each`,
    ...(pingIntervalMs === null ? [] : [`a ping every ${formatNumber(pingIntervalMs / 1000)} s`]),
  ].join(", ");
}

/** `662 B (640-690) + 3.1 KiB kernel each; 1 GiB holds about 270,000` */
function describeEach({ process, kernel, connectionsPerGiB }: IdleReport): string {
  if (process === null) {
    return "memory unknown";
  }
  const own = `${formatBytes(process.bytesPerConnection)} (${rangeOf(process)})`;
  const ofKernel = kernel === null ? "" : ` + ${formatBytes(kernel.bytesPerConnection)} kernel`;
  const capacity = connectionsPerGiB === null ? "" : `; 1 GiB holds about ${about(connectionsPerGiB)}`;
  return `${own}${ofKernel} each${capacity}`;
}

/** `640-690`, with both units if they differ. */
function rangeOf({ low, high }: { readonly low: number; readonly high: number }): string {
  const isPlain = low >= 0 && formatBytes(high).endsWith(" B");
  return isPlain
    ? `${formatNumber(low)}-${formatNumber(high)}`
    : `${formatBytes(low)} to ${formatBytes(high)}`;
}

/** Rounds to two digits, about the precision of the estimate. */
function about(count: number): string {
  return formatNumber(Number(count.toPrecision(2)));
}

function inBytes(bytes: number | null): string {
  return bytes === null ? "-" : formatBytes(bytes);
}

type Line = readonly [label: string, text: string];

function linesOf(report: IdleReport): Line[] {
  const { connections, closes } = report;
  const reconnected =
    connections.reconnected === 0 ? "" : `, ${formatNumber(connections.reconnected)} reconnected`;
  return [
    ["memory", describeEach(report)],
    ...methodLines(report),
    [
      "connections",
      `${formatNumber(connections.opened)} opened, ${formatNumber(connections.failed)} failed, ` +
        `${formatNumber(connections.closed)} closed by the target${reconnected}`,
    ],
    ...(closes.length === 0 ? [] : [["closes", describeCloses(closes).join(", ")] as const]),
    ...pingLines(report),
    ...afterLines(report),
  ];
}

function methodLines({ process, kernel, steps }: IdleReport): Line[] {
  if (process === null) {
    return [];
  }
  const ofKernel =
    kernel === null ? "" : `; kernel ${formatBytes(kernel.low)} to ${formatBytes(kernel.high)}`;
  const interval = `${formatPercent(100 * process.confidence)} interval over ${steps.length} steps`;
  return [["", `(slope of ${measureNames[process.measure]}, ${interval}${ofKernel})`]];
}

function pingLines({ pingIntervalMs, pingCpu, steps, lostPings }: IdleReport): Line[] {
  if (pingIntervalMs === null) {
    return [];
  }
  const sent = steps.reduce((sum, { pings }) => sum + pings, 0);
  const cost =
    pingCpu === null
      ? ""
      : `, ${formatUs(pingCpu.us)} of CPU each (${formatUs(pingCpu.low)} to ${formatUs(pingCpu.high)})`;
  return [["pings", `${formatNumber(sent)} sent, ${formatNumber(lostPings)} without an answer${cost}`]];
}

function afterLines({ before, after }: IdleReport): Line[] {
  return after?.share == null
    ? []
    : [
        [
          "afterwards",
          `${inBytes(ownBytes(before))} before, ${inBytes(ownBytes(after.memory))} after all were closed: ` +
            `${formatPercent(100 * Math.max(0, after.share))} of the growth came back`,
        ],
      ];
}

function stepTable({ steps, pingIntervalMs }: IdleReport): string[] {
  if (steps.length === 0) {
    return [];
  }
  const columns: readonly (readonly [string, (step: IdleStep) => string])[] = [
    ["open", ({ open }) => formatNumber(open)],
    ["RSS", ({ memory }) => inBytes(memory.rssBytes)],
    ["anonymous", ({ memory }) => inBytes(memory.anonymousBytes)],
    ["kernel", ({ memory }) => inBytes(memory.kernelBytes)],
    ["CPU", ({ serverCpuPercent }) => (serverCpuPercent === null ? "-" : formatPercent(serverCpuPercent))],
    ...(pingIntervalMs === null
      ? []
      : ([
          ["pings/s", ({ pongs, seconds }: IdleStep) => formatNumber(pongs / seconds)],
          ["p50", ({ pingP50Us }: IdleStep) => formatUs(pingP50Us)],
          ["p99", ({ pingP99Us }: IdleStep) => formatUs(pingP99Us)],
        ] as const)),
  ];
  return alignColumns(
    [columns.map(([name]) => name), ...steps.map((step) => columns.map(([, read]) => read(step)))],
    "right",
  );
}

function sections(reports: readonly IdleReport[], titles: readonly string[]): Section[] {
  return [
    {
      title: "Memory",
      notes: ["Points are the lowest samples of the later half of each hold."],
      parts: [
        memoryPlot(
          "Process",
          "what the process keeps, by open connections",
          reports,
          titles,
          (report, step) => processBytes(step.memory, report.process?.measure ?? "rss"),
        ),
        memoryPlot(
          "Kernel",
          "slab and TCP buffers of the whole machine, by open connections",
          reports,
          titles,
          (_, step) => step.memory.kernelBytes,
        ),
      ],
    },
    {
      title: "Steps",
      parts: reports.map((report, subject) => ({
        type: "table" as const,
        name: `Steps of ${titles[subject] ?? ""}`,
        headings: [
          "Connections",
          "Open",
          "RSS",
          "Anonymous",
          "Kernel",
          "CPU",
          "Pings",
          "Ping p50",
          "Ping p99",
        ],
        rows: report.steps.map((step) => ({
          subject,
          cells: [
            formatNumber(step.connections),
            formatNumber(step.open),
            inBytes(step.memory.rssBytes),
            inBytes(step.memory.anonymousBytes),
            inBytes(step.memory.kernelBytes),
            step.serverCpuPercent === null ? "-" : formatPercent(step.serverCpuPercent),
            formatNumber(step.pings),
            formatUs(step.pingP50Us),
            formatUs(step.pingP99Us),
          ],
        })),
      })),
    },
  ];
}

function memoryPlot(
  title: string,
  note: string,
  reports: readonly IdleReport[],
  titles: readonly string[],
  read: (report: IdleReport, step: IdleStep) => number | null,
): Plot {
  return {
    type: "plot",
    title,
    note,
    x: { label: "connections", unit: "number" },
    y: { label: "memory", unit: "bytes" },
    lines: reports.map((report, subject) => ({
      label: titles[subject] ?? "",
      subject,
      style: "solid",
      x: report.steps.map(({ open }) => open),
      y: report.steps.map((step) => read(report, step)),
    })),
  };
}
