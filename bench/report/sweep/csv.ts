// Formats Sweeps as CSV (RFC 4180) in long form: a row for each figure of each measurement, always with the same columns.

import { type Sweep, type SweepFigure, type SweepSample, sweepFigures } from "../../result/sweep.ts";
import { formatRow } from "../csv-row.ts";

type Cell = string | number | boolean | null | undefined;

const units: Readonly<Record<SweepFigure, string>> = {
  messagesPerSecond: "1/s",
  bytesPerSecond: "B/s",
  p50: "us",
  p90: "us",
  p99: "us",
  p999: "us",
  max: "us",
  lag: "us",
  serverCpuPercent: "%",
  serverCpuPerMessage: "us",
  clientCpuPercent: "%",
  clientCpuPerMessage: "us",
};

const columns: readonly (readonly [
  string,
  (sweep: Sweep, sample: SweepSample, figure: SweepFigure) => Cell,
])[] = [
  ["target", ({ label, target }) => label ?? target],
  ["order", (_, { order }) => order],
  ["startedAt", (_, { startedAt }) => startedAt],
  ["connections", (_, { connections }) => connections],
  ["payloadBytes", (_, { payloadBytes }) => payloadBytes],
  ["depth", (_, { depth }) => depth],
  ["ratePerSecond", (_, { ratePerSecond }) => ratePerSecond],
  ["repeat", (_, { repeat }) => repeat],
  ["figure", (_, __, figure) => figure],
  ["unit", (_, __, figure) => units[figure]],
  ["value", (_, { figures }, figure) => figures[figure]],
  ["verdict", (_, { verdict }) => verdict],
  ["acceptable", (_, { failures }) => failures.length === 0],
];

/** All Sweeps with one header; unknown figures have no row. */
export function formatSweepsCsv(sweeps: readonly Sweep[]): string {
  const rows = sweeps.flatMap((sweep) =>
    sweep.samples.flatMap((sample) =>
      sweepFigures
        .filter((figure) => sample.figures[figure] !== null)
        .map((figure) => columns.map(([, read]) => String(read(sweep, sample, figure) ?? ""))),
    ),
  );
  return [columns.map(([name]) => name), ...rows].map(formatRow).join("");
}
