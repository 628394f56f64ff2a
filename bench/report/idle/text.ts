// Reports what idle connections cost as text for a terminal.

import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import { type IdleReport, type IdleStep, type MemoryMeasure, ownBytes } from "../../result/idle.ts";
import { formatUs, titleOf } from "../describe.ts";
import { describeCloses, figureTable, frameText, labelled } from "../lines.ts";

export const measureNames: Readonly<Record<MemoryMeasure, string>> = {
  anonymous: "anonymous memory",
  pss: "PSS",
  rss: "RSS",
};

export function formatIdle(report: IdleReport, look: Look = plainLook): string {
  return frameText(
    `${titleOf(report)} · ${describeIdle(report)}`,
    report,
    [summaryLines(report).flatMap(([label, text]) => labelled(label, text, look)), stepTable(report)],
    look,
  );
}

/** `idle connections: 4 steps up to 10,000, held for 10 s each, a ping every 30 s` */
export function describeIdle({ steps, holdMs, pingIntervalMs }: IdleReport): string {
  const most = Math.max(0, ...steps.map(({ connections }) => connections));
  return [
    `idle connections: ${steps.length} ${steps.length === 1 ? "step" : "steps"} up to ${formatNumber(most)}`,
    `held for ${formatNumber(holdMs / 1000)} s each`,
    ...(pingIntervalMs === null ? [] : [`a ping every ${formatNumber(pingIntervalMs / 1000)} s`]),
  ].join(", ");
}

/** `662 B (640-690) + 3.1 KiB kernel each; 1 GiB holds about 270,000` */
export function describeEach({ process, kernel, connectionsPerGiB }: IdleReport): string {
  if (process === null) {
    return "unknown";
  }
  const { bytesPerConnection, low, high } = process;
  const own = `${formatBytes(bytesPerConnection)} (${formatBytes(low).replace(/ B$/, "")}-${formatBytes(high).replace(/ B$/, "")})`;
  const ofKernel = kernel === null ? "" : ` + ${formatBytes(kernel.bytesPerConnection)} kernel`;
  const capacity =
    connectionsPerGiB === null
      ? ""
      : `; 1 GiB holds about ${formatNumber(Number(connectionsPerGiB.toPrecision(2)))}`;
  return `${own}${ofKernel} each${capacity}`;
}

function summaryLines(report: IdleReport): [label: string, text: string][] {
  const { process, kernel, pingCpu, connections, closes, after, before, lostPings, steps } = report;
  const lines: [string, string][] = [["connection", describeEach(report)]];
  if (process !== null) {
    const widths = `by ${measureNames[process.measure]}, ${formatPercent(100 * process.confidence)} interval over ${steps.length} steps`;
    const kernelInterval =
      kernel === null ? "" : `; kernel ${formatBytes(kernel.low)} to ${formatBytes(kernel.high)}`;
    lines.push(["", `(${widths}${kernelInterval})`]);
  }
  lines.push([
    "connections",
    `${formatNumber(connections.opened)} opened, ${formatNumber(connections.failed)} failed, ` +
      `${formatNumber(connections.closed)} closed by the target` +
      (connections.reconnected === 0 ? "" : `, ${formatNumber(connections.reconnected)} reconnected`),
  ]);
  if (closes.length > 0) {
    lines.push(["closes", describeCloses(closes).join(", ")]);
  }
  if (report.pingIntervalMs !== null) {
    const sent = steps.reduce((sum, { pings }) => sum + pings, 0);
    const cost =
      pingCpu === null
        ? ""
        : `, ${formatUs(pingCpu.us)} of CPU each (${formatUs(pingCpu.low)} to ${formatUs(pingCpu.high)})`;
    lines.push(["pings", `${formatNumber(sent)} sent, ${formatNumber(lostPings)} without an answer${cost}`]);
  }
  if (after?.share != null) {
    lines.push([
      "afterwards",
      `${formatBytes(ownBytes(before) ?? 0)} before, ${formatBytes(ownBytes(after.memory) ?? 0)} after all were closed: ` +
        `${formatPercent(100 * after.share)} of the growth came back`,
    ]);
  }
  return lines;
}

function stepTable({ steps, pingIntervalMs }: IdleReport): string[] {
  if (steps.length === 0) {
    return [];
  }
  const inBytes = (bytes: number | null): string => (bytes === null ? "-" : formatBytes(bytes));
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
  return figureTable([
    columns.map(([name]) => name),
    ...steps.map((step) => columns.map(([, read]) => read(step))),
  ]);
}
