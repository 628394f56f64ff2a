// Defines the reports of StormReports.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Latency } from "../../result/schema.ts";
import {
  type StormReport,
  type StormStage,
  stormKind,
  stormSchema,
  stormVersion,
} from "../../result/storm.ts";
import { formatUs } from "../describe.ts";
import type { Plot, Section } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { overTime } from "./over-time.ts";
import { describeCloses, labelled } from "./text.ts";

const stageNames: Readonly<Record<StormStage, string>> = {
  lag: "generator's lag",
  tcp: "TCP",
  tls: "TLS",
  upgrade: "upgrade",
  open: "open, from due",
  firstEcho: "first echo",
  connected: "connected, retries included",
};

const columns: readonly (keyof Latency)[] = ["p50", "p90", "p99", "max"];

const stormReporting: SessionReporting<StormReport> = {
  plural: "StormReports",
  kind: stormKind,
  version: stormVersion,
  schema: stormSchema,
  describe,
  finding: (report) => `${describeSettling(report)}; ${describeHandshakes(report)}.`,
  figures: [
    ["Handshakes/s", ({ handshakes }) => rateOf(handshakes)],
    ["Open p99", ({ stages }) => formatUs(stages.open?.p99)],
    ["Connected p99", ({ stages }) => formatUs(stages.connected?.p99)],
    ["CPU/handshake", ({ server }) => formatUs(server?.cpuUsPerHandshake)],
    ["Refused", ({ handshakes }) => formatNumber(handshakes.refused)],
    ["Absent at the end", ({ absent }) => formatNumber(absent)],
    ["p99 of others before", ({ background }) => formatUs(background?.before?.p99)],
    ["p99 of others during", ({ background }) => formatUs(background?.during?.p99)],
    ["p99 of others after", ({ background }) => formatUs(background?.after?.p99)],
  ],
  blocks: (report, look) => [
    linesOf(report).flatMap(([label, text]) => labelled(label, text, look)),
    alignColumns([["", ...columns], ...stageRows(report)], "right"),
  ],
  sections,
  lists: ["seconds", "refusals"],
};

export const stormReports = sessionReports(stormReporting);

export function formatStorm(report: StormReport, look: Look = plainLook): string {
  return formatSession(stormReporting, report, look);
}

/** `storm: 1,000 clients at 500/s, beside 10 that are there at 100 messages/s` */
function describe({ connections, ratePerSecond, background, traffic }: StormReport): string {
  const pace = ratePerSecond === null ? "at once" : `at ${formatNumber(ratePerSecond)}/s`;
  const beside =
    background === null
      ? ""
      : `, beside ${formatNumber(background.connections)} that are there at ${formatNumber(background.ratePerSecond)} ${traffic === "ping" ? "pings" : "messages"}/s`;
  return `storm: ${formatNumber(connections)} clients ${pace}${beside}`;
}

function describeSettling({ settledSeconds, connections, absent, stages }: StormReport): string {
  const slowest = stages.connected === null ? "" : `, the slowest within ${formatUs(stages.connected.max)}`;
  return absent > 0
    ? `${formatNumber(absent)} of ${formatNumber(connections)} clients had no connection at the end`
    : settledSeconds === null
      ? "not settled"
      : `all ${formatNumber(connections)} clients connected${slowest}`;
}

function describeHandshakes({ handshakes, refusals, retryAfter }: StormReport): string {
  const { begun, opened, refused, failed } = handshakes;
  const share = begun === 0 ? "" : ` (${formatPercent((100 * refused) / begun)})`;
  const statuses = refusals.map(({ status, count }) => `${formatNumber(count)} with ${status}`);
  const told =
    retryAfter === 0 ? [] : [`${formatNumber(retryAfter)} with a Retry-After, which clients obeyed`];
  const details = refused === 0 ? "" : `${share}: ${[...statuses, ...told].join(", ")}`;
  return (
    `${formatNumber(begun)} handshakes begun, ${formatNumber(opened)} opened, ` +
    `${formatNumber(failed)} without an answer, ${formatNumber(refused)} refused${details}`
  );
}

function rateOf({ perSecond }: StormReport["handshakes"]): string {
  return perSecond === null ? "-" : formatNumber(perSecond);
}

type Line = readonly [label: string, text: string];

function linesOf(report: StormReport): Line[] {
  const { settledSeconds, handshakes, closes, server, background } = report;
  const until =
    settledSeconds === null ? "" : ` over the ${formatNumber(settledSeconds)} s until 99 % were in`;
  const others = closes.filter(({ status }) => status === null);
  return [
    ["clients", describeSettling(report)],
    ["handshakes", describeHandshakes(report)],
    ["rate", `${rateOf(handshakes)} handshakes/s${until}`],
    ...(others.length === 0 ? [] : [["ends", describeCloses(others).join(", ")] as const]),
    ...(server === null
      ? []
      : [
          [
            "server",
            `${formatUs(server.cpuUsPerHandshake)} of CPU per handshake, ` +
              `${formatPercent(server.percentBefore)} of a core before, ${formatPercent(server.percentDuring)} during`,
          ] as const,
        ]),
    ...(background === null ? [] : [["others", describeHarm(background)] as const]),
  ];
}

function describeHarm({
  before,
  during,
  after,
  lost,
  closed,
}: NonNullable<StormReport["background"]>): string {
  return (
    `p99 ${formatUs(before?.p99)} before, ${formatUs(during?.p99)} during, ${formatUs(after?.p99)} after; ` +
    `${formatNumber(lost)} lost, ${formatNumber(closed)} closed`
  );
}

function stageRows({ stages }: StormReport): string[][] {
  return Object.entries(stageNames).flatMap(([stage, name]) => {
    const latency = stages[stage as StormStage];
    return latency === null ? [] : [[name, ...columns.map((column) => formatUs(latency[column]))]];
  });
}

function sections(reports: readonly StormReport[], titles: readonly string[]): Section[] {
  const marks = [...new Set(reports.map(({ stormAtSeconds }) => stormAtSeconds))].map((at) => ({
    at,
    label: "storm",
  }));
  const plot = (
    title: string,
    note: string,
    unit: "number" | "us",
    read: (second: StormReport["seconds"][number]) => number | null,
  ): Plot => overTime(reports, titles, { title, note, y: { label: title, unit }, marks, read });
  return [
    {
      title: "Stages",
      notes: ["From the end of the stage before, unless it says otherwise."],
      parts: reports.map((report, subject) => ({
        type: "table" as const,
        name: `Stages of ${titles[subject] ?? ""}`,
        headings: ["Stage", ...columns],
        rows: stageRows(report).map((cells) => ({ subject, cells })),
      })),
    },
    {
      title: "Over time",
      parts: [
        plot("Handshakes", "completed per second", "number", ({ opened }) => opened),
        plot("Connections", "open clients of the storm", "number", ({ open }) => open),
        plot("Refused and failed", "per second", "number", ({ failed }) => failed),
        plot(
          "Harm",
          "p99 of the clients that were there before",
          "us",
          ({ backgroundP99Us }) => backgroundP99Us,
        ),
      ],
    },
  ];
}
