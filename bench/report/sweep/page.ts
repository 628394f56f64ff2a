// Makes the page of Sweeps: small multiples, with the same plot for each level of the remaining factors.

import { type Factor, levelsOf, type Sweep, type SweepFigure, variedFactors } from "../../result/sweep.ts";
import { describeCommand, describeEnvironment } from "../describe.ts";
import {
  type Axis,
  commandWidth,
  type Line,
  type Page,
  type Part,
  type Plot,
  type Section,
  type Subject,
} from "../frame/page.ts";
import { stackedPage } from "../stack.ts";
import { describeSweep, type Group, groupsOf, medianOf, nameLevel, tableOf } from "./words.ts";

const axisLabels: Readonly<Record<Factor, string>> = {
  connections: "Connections",
  payloadBytes: "Payload",
  depth: "Messages in flight per connection",
  ratePerSecond: "Messages due per second",
};
const lineNames: Readonly<Record<Factor, string>> = {
  connections: "number of connections",
  payloadBytes: "payload",
  depth: "number of messages in flight",
  ratePerSecond: "rate",
};
/** An axis is logarithmic if its highest level is this many times its lowest. */
const wideRange = 8;

/** The page of all Sweeps, one below the other. */
export function pageOfSweeps(sweeps: readonly Sweep[]): Page {
  return stackedPage(sweeps, "sweeps", subjectOf, sectionsOf);
}

function subjectOf(sweep: Sweep, title: string): Subject {
  const { failures, warnings, startedAt, environment, samples, planned } = sweep;
  return {
    title,
    badge:
      samples.length === planned
        ? null
        : {
            text: "incomplete",
            tone: "bad",
            meaning: `${samples.length} of ${planned} measurements were made`,
          },
    summary: [describeSweep(sweep)],
    tiles: [],
    failures,
    warnings,
    thresholds: [],
    command: describeCommand(sweep, commandWidth),
    startedAt,
    environment: describeEnvironment(environment),
    document: sweep,
  };
}

const plotted: readonly (readonly [SweepFigure, string, Axis])[] = [
  ["messagesPerSecond", "Rate", { label: "Messages per second", unit: "number" }],
  ["p50", "Latency p50", { label: "Latency", unit: "us", isLogarithmic: true }],
  ["p99", "Latency p99", { label: "Latency", unit: "us", isLogarithmic: true }],
  ["serverCpuPerMessage", "Server CPU per message", { label: "CPU time", unit: "us" }],
];

function sectionsOf(sweep: Sweep): Section[] {
  const groups = groupsOf(sweep);
  const [x, lines, ...panels] = variedFactors(sweep.samples);
  const { headings, rows } = tableOf(sweep);
  const table: Part = {
    type: "table",
    name: "Combinations",
    headings,
    rows: rows.map((cells) => ({ cells })),
  };
  const figures = plotted.filter(([figure]) => groups.some((group) => medianOf(group, figure) !== null));
  return [
    ...(x === undefined
      ? []
      : figures.map(
          ([figure, title, y]): Section => ({
            title,
            parts: panelsOf(sweep, groups, panels).map((panel) =>
              plotOf({ sweep, panel, x, lines, figure, title, y }),
            ),
          }),
        )),
    { title: "Combinations", parts: [table] },
  ];
}

/** The groups of one plot, and the levels that they share. */
interface Panel {
  readonly title: string;
  readonly groups: readonly Group[];
}

/** A panel for each combination of the levels of these factors. */
function panelsOf(
  sweep: Sweep,
  groups: readonly Group[],
  [factor, ...others]: readonly Factor[],
  title = "",
): Panel[] {
  if (factor === undefined) {
    return groups.length === 0 ? [] : [{ title, groups }];
  }
  return levelsOf(sweep.samples, factor).flatMap((level) =>
    panelsOf(
      sweep,
      groups.filter(({ cell }) => cell[factor] === level),
      others,
      `${title}${title === "" ? "" : ", "}${nameLevel(factor, level)}`,
    ),
  );
}

interface Plotted {
  readonly sweep: Sweep;
  readonly panel: Panel;
  readonly x: Factor;
  /** The factor with a line for each level; undefined if only one factor varies. */
  readonly lines: Factor | undefined;
  readonly figure: SweepFigure;
  readonly title: string;
  readonly y: Axis;
}

function plotOf({ sweep, panel, x, lines, figure, title, y }: Plotted): Plot {
  const levels = levelsOf(sweep.samples, x);
  const xAxis: Axis = {
    label: axisLabels[x],
    unit: x === "payloadBytes" ? "bytes" : "number",
    isLogarithmic: (levels.at(-1) ?? 1) >= wideRange * Math.max(levels[0] ?? 1, Number.MIN_VALUE),
  };
  const lineOf = (label: string, subject: number, groups: readonly Group[]): Line => ({
    label,
    subject,
    style: "solid",
    x: levels,
    y: levels.map((level) => {
      const group = groups.find(({ cell }) => cell[x] === level);
      return group === undefined ? null : medianOf(group, figure);
    }),
  });
  const highest = Math.max(...groupsOf(sweep).map((group) => medianOf(group, figure) ?? 0));
  return {
    type: "plot",
    title: panel.title === "" ? title : panel.title,
    note: lines === undefined ? "" : `A line for each ${lineNames[lines]}.`,
    x: xAxis,
    // Linear scales are the same in all panels.
    y: y.isLogarithmic === true ? y : { ...y, atLeast: highest },
    lines:
      lines === undefined
        ? [lineOf(title, 0, panel.groups)]
        : levelsOf(sweep.samples, lines).map((level, index) =>
            lineOf(
              nameLevel(lines, level),
              index,
              panel.groups.filter(({ cell }) => cell[lines] === level),
            ),
          ),
  };
}
