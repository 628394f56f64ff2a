// Reports Results as text for a terminal.

import { formatBytes, formatNumber, formatPercent } from "../../src/lib/format.ts";
import type { Connects, Latency, Result } from "../result/schema.ts";
import { formatActual } from "../result/threshold.ts";
import {
  describeEnvironment,
  describeLoad,
  describeLoop,
  describeVerdict,
  formatUs,
  latencyColumns,
  titleOf,
} from "./describe.ts";

const labelWidth = 13;

/** The report of one Result; what makes it unusable comes first. */
export function formatText(result: Result): string {
  const { failures } = result;
  const blocks = [
    [`${titleOf(result)} · engine ${result.engine.name} · ${describeLoad(result)}`],
    failures.length === 0 ? [] : [`NOT ACCEPTABLE: ${failures.join("; ")}.`],
    figureLines(result),
    [...latencyTable(result), ...intervalLines(result)],
    resultLines(result),
    result.warnings.map((warning) => `! ${warning}`),
    [describeEnvironment(result.environment)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function figureLines(result: Result): string[] {
  const { summary, messages, connections, connects, client, generator, server } = result;
  const lines = [
    line(
      "rate",
      `${formatNumber(summary.messagesPerSecond)} messages/s, ${formatBytes(summary.bytesPerSecond)}/s of payload`,
    ),
    line(
      "messages",
      `${messages.unsent === 0 ? "" : `${formatNumber(messages.due)} due, `}${formatNumber(messages.sent)} sent, ` +
        `${formatNumber(messages.received)} received, ` +
        `${formatNumber(messages.lost)} lost, ${formatNumber(messages.corrupt)} corrupt`,
    ),
    line(
      "connections",
      `${formatNumber(connections.opened)} of ${formatNumber(connections.requested)} opened, ` +
        `${formatNumber(connections.failed)} failed, ${formatNumber(connections.closedEarly)} closed early`,
    ),
  ];
  if (connects?.open != null) {
    lines.push(line("connecting", describeConnects(connects)));
  }
  lines.push(
    line(
      "client",
      cpuFigures(client, [
        ...(client.lagUs === null ? [] : [`lag p99 ${formatUs(client.lagUs)}`]),
        ...(generator?.hiccupUs == null ? [] : [`hiccups p99 ${formatUs(generator.hiccupUs.p99)}`]),
      ]),
    ),
  );
  if (server !== undefined) {
    const { maxBufferedBytes, droppedMessages } = server;
    lines.push(
      line(
        "server",
        `${cpuFigures(server, [
          ...(server.busiestThreadPercent === null
            ? []
            : [`busiest thread ${formatPercent(server.busiestThreadPercent)}`]),
          ...(maxBufferedBytes === null ? [] : [`at most ${formatBytes(maxBufferedBytes)} buffered`]),
          ...(droppedMessages === null ? [] : [`${formatNumber(droppedMessages)} dropped`]),
        ])} (CPU from ${server.source === "pid" ? "/proc" : "its metrics"})`,
      ),
    );
  }
  return lines;
}

function describeConnects({ open, tls, firstEcho, perSecond }: Connects): string {
  const p99 = (name: string, stage: Connects["open"]): string[] =>
    stage === null
      ? []
      : [`${name} p50 ${formatUs(stage.latencyUs.p50)}, p99 ${formatUs(stage.latencyUs.p99)}`];
  return [
    ...p99("open", open),
    ...p99("TLS", tls),
    ...p99("first echo", firstEcho),
    ...(perSecond === null ? [] : [`${formatNumber(perSecond)}/s`]),
  ].join(", ");
}

/** 95 % intervals, where there are seconds enough for them. */
function intervalLines({ intervals }: Result): string[] {
  if (intervals === null) {
    return [];
  }
  const { p50, p99, p999 } = intervals.latencyUs;
  const known = [
    ["p50", p50],
    ["p99", p99],
    ["p99.9", p999],
  ] as const;
  const texts = known.flatMap(([name, interval]) =>
    interval === null ? [] : [`${name} ${formatUs(interval.low)} to ${formatUs(interval.high)}`],
  );
  const { low, high } = intervals.messagesPerSecond;
  return [
    line("95 % within", [...texts, `${formatNumber(low)} to ${formatNumber(high)} messages/s`].join(", ")),
  ];
}

function cpuFigures(
  figures: { cpuUsPerMessage: number | null; cpuPercent: number | null; rssBytes: number | null },
  more: readonly string[],
): string {
  const { cpuUsPerMessage, cpuPercent, rssBytes } = figures;
  return [
    cpuUsPerMessage === null ? null : `${formatUs(cpuUsPerMessage)} of CPU per message`,
    cpuPercent === null ? "CPU unknown" : `${formatPercent(cpuPercent)} of a core`,
    rssBytes === null ? null : `${formatBytes(rssBytes)} resident`,
    ...more,
  ]
    .filter((part) => part !== null)
    .join(", ");
}

function latencyTable({ summary, latencyFrom, loop }: Result): string[] {
  if (summary.latencyUs === null) {
    return [];
  }
  const header = line("", latencyColumns.map(([, name]) => name.padStart(9)).join(" "));
  const row = (label: string, latency: Latency | null): string =>
    line(label, latencyColumns.map(([key]) => formatUs(latency?.[key]).padStart(9)).join(" "));
  const rows =
    latencyFrom === "intended-send"
      ? [row("latency", summary.latencyUs), row("service time", summary.serviceUs)]
      : [row("latency", summary.serviceUs)];
  return [header, ...rows, line("", `(${describeLoop(loop)})`)];
}

function resultLines({ verdict, thresholds }: Result): string[] {
  return [
    ...thresholds.map((threshold) =>
      line(
        threshold.passed ? "met" : "NOT MET",
        `${threshold.expression} (it was ${formatActual(threshold)})`,
      ),
    ),
    line("verdict", `${verdict}: ${describeVerdict(verdict)}`),
  ];
}

function line(label: string, text: string): string {
  return `${label.padEnd(labelWidth)} ${text}`.trimEnd();
}
