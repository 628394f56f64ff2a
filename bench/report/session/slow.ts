// Defines the reports of SlowReports.

import { alignColumns } from "../../../src/lib/columns.ts";
import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import {
  type Reaction,
  type SlowPhase,
  type SlowReport,
  slowKind,
  slowSchema,
  slowVersion,
} from "../../result/slow.ts";
import { formatUs } from "../describe.ts";
import type { Section } from "../frame/page.ts";
import { formatSession, type SessionReporting, sessionReports } from "./kind.ts";
import { describeCloses, labelled } from "./text.ts";

const reactionTexts: Readonly<Record<Reaction, string>> = {
  closes: "closes slow readers",
  drops: "drops messages",
  "stops-reading": "stops reading from them",
  buffers: "buffers what they do not read",
  absorbed: "did not notice: the kernels' buffers took everything",
};

const slowReporting: SessionReporting<SlowReport> = {
  plural: "SlowReports",
  kind: slowKind,
  version: slowVersion,
  schema: slowSchema,
  describe,
  finding,
  figures: [
    ["Reaction", ({ reactions }) => (reactions.length === 0 ? "none" : reactions.join(", "))],
    [
      "Readers closed",
      ({ readers }) => `${formatNumber(readers.closed)} of ${formatNumber(readers.connections)}`,
    ],
    ["Memory before", ({ before }) => inBytes(before.server.memoryBytes)],
    ["Memory during", ({ during }) => inBytes(during.server.memoryBytes)],
    ["p99 before", ({ before }) => formatUs(before.neighbours.latencyUs?.p99)],
    ["p99 during", ({ during }) => formatUs(during.neighbours.latencyUs?.p99)],
    ["p99 after", ({ after }) => formatUs(after.neighbours.latencyUs?.p99)],
  ],
  blocks: (report, look) => [
    linesOf(report).flatMap(([label, text]) => labelled(label, text, look)),
    alignColumns([["", ...columns.map(([name]) => name)], ...phasesOf(report)], "right"),
  ],
  sections,
  lists: [],
};

export const slowReports = sessionReports(slowReporting);

export function formatSlow(report: SlowReport, look: Look = plainLook): string {
  return formatSession(slowReporting, report, look);
}

/** `5 slow readers that read 10 KiB/s each, sent 100 messages/s of 16 KiB, beside 95 clients with 1,000/s of 64 B` */
function describe({ readers, neighbours }: SlowReport): string {
  const pace =
    readers.readBytesPerSecond === 0 ? "nothing" : `${formatBytes(readers.readBytesPerSecond)}/s each`;
  return (
    `${formatNumber(readers.connections)} ${readers.connections === 1 ? "slow reader that reads" : "slow readers that read"} ` +
    `${pace}, sent ${formatNumber(readers.ratePerSecond)} messages/s ` +
    `of ${formatBytes(readers.payloadBytes)}, beside ${formatNumber(neighbours.connections)} clients with ` +
    `${formatNumber(neighbours.ratePerSecond)}/s of ${formatBytes(neighbours.payloadBytes)}`
  );
}

function finding({ reactions, before, during }: SlowReport): string {
  const reaction =
    reactions.length === 0
      ? "No reaction was seen"
      : `The server ${reactions.map((each) => reactionTexts[each]).join(", and ")}`;
  return (
    `${reaction}; neighbours' p99 ${formatUs(before.neighbours.latencyUs?.p99)} before, ` +
    `${formatUs(during.neighbours.latencyUs?.p99)} during.`
  );
}

function linesOf(report: SlowReport): (readonly [label: string, text: string])[] {
  const { readers, reactions, absorbedBytes, closes, dropped } = report;
  return [
    [
      "reaction",
      reactions.length === 0 ? "none seen" : reactions.map((each) => reactionTexts[each]).join(", and "),
    ],
    [
      "readers",
      `${formatNumber(readers.sent)} messages (${formatBytes(readers.sentBytes)}) sent, ` +
        `${formatNumber(readers.unsent)} due and not taken, ${formatBytes(readers.readBytes)} read; ` +
        `${formatNumber(readers.closed)} of ${formatNumber(readers.connections)} closed by the server`,
    ],
    ...(closes.length === 0 ? [] : [["closes", describeCloses(closes).join(", ")] as const]),
    ...(absorbedBytes === null
      ? []
      : [["absorbed", `${formatBytes(absorbedBytes)} in TCP buffers of this machine`] as const]),
    ...(dropped === null || dropped === 0
      ? []
      : [["dropped", `${formatNumber(dropped)} ${dropped === 1 ? "message" : "messages"}`] as const]),
  ];
}

const columns: readonly (readonly [string, (phase: SlowPhase) => string])[] = [
  ["memory", ({ server }) => inBytes(server.memoryBytes)],
  ["buffered", ({ server }) => inBytes(server.bufferedBytes)],
  ["TCP", ({ server }) => inBytes(server.kernelBytes)],
  ["CPU", ({ server }) => (server.cpuPercent === null ? "-" : formatPercent(server.cpuPercent))],
  ["p50", ({ neighbours }) => formatUs(neighbours.latencyUs?.p50)],
  ["p99", ({ neighbours }) => formatUs(neighbours.latencyUs?.p99)],
  ["lost", ({ neighbours }) => formatNumber(neighbours.lost)],
];

function phasesOf({ before, during, after }: SlowReport): string[][] {
  return Object.entries({ before, during, after }).map(([name, phase]) => [
    name,
    ...columns.map(([, read]) => read(phase)),
  ]);
}

function inBytes(value: number | null): string {
  return value === null ? "-" : formatBytes(value);
}

function sections(reports: readonly SlowReport[], titles: readonly string[]): Section[] {
  return [
    {
      title: "Before, during and after",
      notes: [
        "Memory, buffered bytes and TCP buffers are the highest that were seen. Latencies are the neighbours'.",
      ],
      parts: reports.map((report, subject) => ({
        type: "table" as const,
        name: `Steps of ${titles[subject] ?? ""}`,
        headings: ["Step", ...columns.map(([name]) => name)],
        rows: phasesOf(report).map((cells) => ({ subject, cells })),
      })),
    },
  ];
}
