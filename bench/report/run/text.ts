// Reports Results as text for a terminal.

import { wrapText } from "../../../src/lib/columns.ts";
import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, type Paint, plainLook } from "../../../src/lib/terminal.ts";
import type { Connects, Latency, Probe, Result } from "../../result/schema.ts";
import { formatActual } from "../../result/threshold.ts";
import {
  describeCommand,
  describeEnvironment,
  describeLoad,
  describeLoop,
  describeVerdict,
  formatUs,
  latencyColumns,
  titleOf,
} from "../describe.ts";
import { stepLines } from "./steps.ts";

const labelWidth = 13;

/**
 * Formats one Result, failures first.
 * @param look lines wrap at its width, and the table of latencies is transposed if too wide
 */
export function formatText(result: Result, look: Look = plainLook): string {
  const { failures, warnings, environment } = result;
  const { width, paint } = look;
  const fit = (text: string): string[] => wrapText(text, width);
  const title = `${titleOf(result)} · engine ${result.engine.name} · ${describeLoad(result)}`;
  const blocks = [
    fit(title).map(paint.bold),
    failures.length === 0
      ? []
      : fit(`NOT ACCEPTABLE: ${failures.join("; ")}.`).map((text) => paint.bold(paint.red(text))),
    figureLines(result).flatMap((text) => fitLabelled(text, look)),
    [...latencyTable(result, look), ...intervalLines(result).flatMap((text) => fitLabelled(text, look))],
    stepLines(result, width),
    resultLines(result).flatMap((text) => fitLabelled(text, look).map(painterOf(text, paint))),
    warnings.flatMap((warning) => fit(`! ${warning}`).map(paint.yellow)),
    [...fit(describeEnvironment(environment)), ...describeCommand(result, width)].map(paint.dim),
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
  if (result.autoWarmup !== null) {
    const { seconds, steady } = result.autoWarmup;
    lines.push(line("warm-up", `${steady ? "steady" : "not steady"} after ${formatNumber(seconds)} s`));
  }
  if (result.probe !== null) {
    lines.push(line("probe", describeProbe(result.probe)));
  }
  if (result.closes.length > 0) {
    lines.push(line("closes", describeCloses(result.closes)));
  }
  for (const [kind, count] of Object.entries(result.errors)) {
    const said = result.firstErrors[kind];
    lines.push(line("errors", `${kind} (${formatNumber(count)}x)${said === undefined ? "" : `: ${said}`}`));
  }
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

/** Describes the latency of the probe during the load. */
export function describeProbe({ ratePerSecond, connections, latencyUs, lagUs }: Probe): string {
  const percentiles = [
    ["p50", latencyUs?.p50],
    ["p99", latencyUs?.p99],
    ["p99.9", latencyUs?.p999],
    ["max", latencyUs?.max],
  ] as const;
  return [
    `${formatNumber(ratePerSecond)} messages/s over ${formatNumber(connections)} other connections`,
    ...percentiles.map(([name, us]) => `${name} ${formatUs(us)}`),
    ...(lagUs === null ? [] : [`lag p99 ${formatUs(lagUs)}`]),
  ].join(", ");
}

/** Describes closes by kind, with the seconds in which they occurred. */
function describeCloses(closes: Result["closes"]): string {
  const kinds = [...new Set(closes.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const alike = closes.filter((close) => close.kind === kind);
      const count = alike.reduce((sum, close) => sum + close.count, 0);
      const [first, last] = [alike[0]?.second ?? 0, alike.at(-1)?.second ?? 0];
      const when = first === last ? `in second ${first}` : `in seconds ${first} to ${last}`;
      return `${kind} (${formatNumber(count)}x) ${when}`;
    })
    .join(", ");
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

/** Describes the 95 % intervals, if there are enough seconds. */
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

/** A row for each kind of latency if its eight columns fit, or else a row for each percentile. */
function latencyTable({ summary, latencyFrom, loop }: Result, look: Look): string[] {
  if (summary.latencyUs === null) {
    return [];
  }
  const kinds: readonly (readonly [label: string, latency: Latency | null])[] =
    latencyFrom === "intended-send"
      ? [
          ["latency", summary.latencyUs],
          ["service time", summary.serviceUs],
        ]
      : [["latency", summary.serviceUs]];
  const row = (label: string, cells: readonly string[], width: number): string =>
    line(label, cells.map((cell) => cell.padStart(width)).join(" "));
  const names = latencyColumns.map(([, name]) => name);
  const figures = (latency: Latency | null): string[] =>
    latencyColumns.map(([key]) => formatUs(latency?.[key]));
  const wide = [row("", names, 9), ...kinds.map(([label, latency]) => row(label, figures(latency), 9))];
  const labels = kinds.map(([label]) => label);
  const columns = kinds.map(([, latency]) => figures(latency));
  const narrow = [
    row("", labels, 12),
    ...names.map((name, at) =>
      row(
        name,
        columns.map((column) => column[at] ?? ""),
        12,
      ),
    ),
  ];
  const table = wide.every((text) => text.length <= look.width) ? wide : narrow;
  return [...table, ...fitLabelled(line("", `(${describeLoop(loop)})`), look)];
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

/** Wraps a line made by `line`; continuation lines are indented to its text. */
function fitLabelled(text: string, { width }: Look): string[] {
  const indent = labelWidth + 1;
  return wrapText(text.slice(indent), width - indent).map((part, index) =>
    index === 0 ? text.slice(0, indent) + part : " ".repeat(indent) + part,
  );
}

function painterOf(text: string, paint: Paint): (part: string) => string {
  return text.startsWith("NOT MET") ? paint.red : text.startsWith("met") ? paint.green : paint.bold;
}
