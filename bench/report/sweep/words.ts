// Formats the phrases and figures that all reports of a Sweep share.

import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import { median } from "../../result/stats.ts";
import {
  type Cell,
  type Factor,
  factors,
  levelsOf,
  type Sweep,
  type SweepFigure,
  type SweepSample,
  variedFactors,
} from "../../result/sweep.ts";
import { formatUs } from "../describe.ts";

const factorTitles: Readonly<Record<Factor, string>> = {
  connections: "connections",
  payloadBytes: "payload",
  depth: "in flight",
  ratePerSecond: "rate",
};

/** A level of a factor as a cell of a table: `64`, `1 KiB`, `5,000/s`. */
export function formatLevel(factor: Factor, value: number | null): string {
  if (value === null) {
    return "-";
  }
  return factor === "payloadBytes"
    ? formatBytes(value)
    : factor === "ratePerSecond"
      ? `${formatNumber(value)}/s`
      : formatNumber(value);
}

/** The same in a sentence: `64 connections`, `16 in flight`, `1 KiB`, `5,000/s`. */
export function nameLevel(factor: Factor, value: number): string {
  const level = formatLevel(factor, value);
  switch (factor) {
    case "connections":
      return `${level} ${value === 1 ? "connection" : "connections"}`;
    case "depth":
      return `${level} in flight`;
    default:
      return level;
  }
}

/** `64 connections, 1 KiB, 16 in flight` */
function describeCell(cell: Cell): string {
  return factors
    .flatMap((factor) => {
      const value = cell[factor];
      return value === null ? [] : [nameLevel(factor, value)];
    })
    .join(", ");
}

function formatSweepFigure(figure: SweepFigure, value: number | null): string {
  if (value === null) {
    return "-";
  }
  switch (figure) {
    case "messagesPerSecond":
      return formatNumber(Math.round(value));
    case "bytesPerSecond":
      return `${formatBytes(value)}/s`;
    case "serverCpuPercent":
    case "clientCpuPercent":
      return formatPercent(value);
    default:
      return formatUs(value);
  }
}

/** The figures that tables show, the most informative first. */
const tableFigures: readonly (readonly [SweepFigure, string])[] = [
  ["messagesPerSecond", "messages/s"],
  ["p50", "p50"],
  ["p99", "p99"],
  ["serverCpuPerMessage", "server CPU/msg"],
  ["p999", "p99.9"],
];

/** All measurements of one combination. */
export interface Group {
  readonly cell: Cell;
  readonly samples: readonly SweepSample[];
}

/** Combinations in the order of their levels. */
export function groupsOf({ samples }: Pick<Sweep, "samples">): Group[] {
  const keyOf = (cell: Cell): string => factors.map((factor) => cell[factor]).join("/");
  const groups = new Map<string, SweepSample[]>();
  for (const sample of samples) {
    groups.set(keyOf(sample), [...(groups.get(keyOf(sample)) ?? []), sample]);
  }
  return [...groups.values()]
    .flatMap((own): Group[] => (own[0] === undefined ? [] : [{ cell: own[0], samples: own }]))
    .sort((a, b) => {
      const differing = factors.find((factor) => a.cell[factor] !== b.cell[factor]);
      return differing === undefined ? 0 : (a.cell[differing] ?? 0) - (b.cell[differing] ?? 0);
    });
}

/** The median over repeats; null if no measurement has the figure. */
export function medianOf({ samples }: Group, figure: SweepFigure): number | null {
  const values = samples.flatMap(({ figures }) => figures[figure] ?? []);
  return values.length === 0 ? null : median(values);
}

/** Headings and rows of the combinations; factors that do not vary are left out. */
export function tableOf(sweep: Sweep): { headings: string[]; rows: string[][]; leading: number } {
  const groups = groupsOf(sweep);
  const shown = factors.filter((factor) => variedFactors(sweep.samples).includes(factor));
  const figures = tableFigures.filter(([figure]) => groups.some((group) => medianOf(group, figure) !== null));
  return {
    leading: shown.length,
    headings: [...shown.map((factor) => factorTitles[factor]), ...figures.map(([, title]) => title)],
    rows: groups.map((group) => [
      ...shown.map((factor) => formatLevel(factor, group.cell[factor])),
      ...figures.map(([figure]) => formatSweepFigure(figure, medianOf(group, figure))),
    ]),
  };
}

/** `24 measurements of 12 combinations in a random order, a fresh process each: 64 B; 3 s after 1 s` */
export function describeSweep(sweep: Sweep): string {
  const { samples, planned, scenario, target } = sweep;
  const constant = factors.flatMap((factor) => {
    const [only, ...others] = levelsOf(samples, factor);
    return only === undefined || others.length > 0 ? [] : [nameLevel(factor, only)];
  });
  const made = samples.length === planned ? String(planned) : `${samples.length} of ${planned}`;
  const fresh = /^wss?:/i.test(target) ? "" : ", a fresh process each";
  const combinations = groupsOf(sweep).length;
  return (
    `${made} ${planned === 1 ? "measurement" : "measurements"} of ${combinations} ${combinations === 1 ? "combination" : "combinations"} in a random order${fresh}: ` +
    [
      ...constant,
      scenario.type,
      `${formatNumber(scenario.durationMs / 1000)} s after ${formatNumber(scenario.warmupMs / 1000)} s of warm-up`,
    ].join(", ") +
    (combinations < samples.length ? "; medians" : "")
  );
}

/** `64 connections, 1 KiB, 16 in flight: 410,000 messages/s, p99 3.1 ms` */
export function describeSample(sample: SweepSample): string {
  const { figures, failures } = sample;
  return [
    `${describeCell(sample)}: ${formatSweepFigure("messagesPerSecond", figures.messagesPerSecond)} messages/s`,
    `p99 ${formatSweepFigure("p99", figures.p99)}`,
    ...failures,
  ].join(", ");
}
