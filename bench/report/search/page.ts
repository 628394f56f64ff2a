// Makes the page of Searches: the result of each goal, latencies by load, and every trial.

import type { Latency } from "../../result/schema.ts";
import { isAnswered, type Search, type Trial, type TrialOutcome } from "../../result/search.ts";
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
  type Tile,
} from "../frame/page.ts";
import { stackedPage } from "../stack.ts";
import {
  describeGoal,
  describeMethod,
  describeSetting,
  formatLoad,
  formatSlo,
  keyTrials,
  reasonAt,
  trialColumns,
} from "./words.ts";

/** The page of all Searches, one below the other. */
export function pageOfSearches(searches: readonly Search[]): Page {
  return stackedPage(searches, "searches", subjectOf, sectionsOf);
}

function subjectOf(search: Search, title: string): Subject {
  const { goals, failures, warnings, startedAt, environment } = search;
  const [first, ...others] = goals;
  return {
    title,
    badge:
      first === undefined
        ? null
        : {
            text: first.verdict,
            tone: isAnswered(first) ? "good" : "bad",
            meaning: describeGoal(first, search),
          },
    summary: [
      ...others.map((goal) => describeGoal(goal, search)),
      describeSetting(search),
      describeMethod(search),
    ],
    tiles: goals.map(
      (goal): Tile => ({
        label: formatSlo(goal.slo),
        value: goal.lower === null ? "-" : formatLoad(goal.lower, search.over),
        note: goal.upper === null ? goal.verdict : `failed at ${formatLoad(goal.upper, search.over)}`,
      }),
    ),
    failures,
    warnings,
    thresholds: [],
    command: describeCommand(search, commandWidth),
    startedAt,
    environment: describeEnvironment(environment),
    document: search,
  };
}

function sectionsOf(search: Search): Section[] {
  const { goals, over, trials } = search;
  const goalTable: Part = {
    type: "table",
    name: "Goals",
    headings: ["Objective", "Verdict", "Holds", "Failed at", "Why", "Answered at the result"],
    textColumns: [1, 4],
    rows: goals.map((goal, index) => ({
      cells: [
        formatSlo(goal.slo),
        goal.verdict,
        goal.lower === null ? "-" : formatLoad(goal.lower, over),
        goal.upper === null ? "-" : formatLoad(goal.upper, over),
        reasonAt(goal, index, trials) ?? goal.limitedBy ?? "-",
        goal.conditional === null ? "-" : formatLoad(goal.conditional, "rate"),
      ],
    })),
  };
  const byLoad = keyTrials(search);
  return [
    { title: "Goals", parts: [goalTable] },
    ...(byLoad.length === 0 ? [] : [latencySection(search)]),
    { title: "Trials", parts: [...goals.map((_, index) => trialPlot(search, index)), trialTable(search)] },
  ];
}

const axisLabels = {
  rate: "Messages per second",
  connections: "Connections",
  depth: "Messages in flight per connection",
} as const;

function loadAxis({ over }: Search): Axis {
  return { label: axisLabels[over], unit: "number" };
}

const percentiles: readonly (readonly [keyof Latency, string])[] = [
  ["p50", "p50"],
  ["p99", "p99"],
  ["p999", "p99.9"],
];

/** Latencies at shares of the result, and at the result. */
function latencySection(search: Search): Section {
  const trials = keyTrials(search)
    .map(({ trial }) => trial)
    .filter(({ load }, index, all) => all.findIndex((other) => other.load === load) === index)
    .toSorted((a, b) => a.load - b.load);
  const plot: Plot = {
    type: "plot",
    isWide: true,
    title: "Latency by load",
    note: "At parts of the first result, and at each result in a longer trial.",
    x: loadAxis(search),
    y: { label: "Latency", unit: "us", isLogarithmic: true },
    lines: percentiles.map(
      ([key, label], subject): Line => ({
        label,
        subject,
        style: "solid",
        x: trials.map(({ load }) => load),
        y: trials.map(({ latencyUs }) => latencyUs?.[key] ?? null),
      }),
    ),
  };
  const table: Part = {
    type: "table",
    name: "Latency by load",
    headings: ["Part of the result", "Load", ...trialColumns.map(([name]) => name)],
    rows: keyTrials(search).map(({ title, trial }) => ({
      cells: [title, formatLoad(trial.load, search.over), ...trialColumns.map(([, read]) => read(trial))],
    })),
  };
  return { title: "Latency by load", parts: [table, plot] };
}

/** Name and colour of each state of a trial. */
const stateLines: readonly (readonly [TrialOutcome["state"], string, number])[] = [
  ["good", "held", 2],
  ["bad", "failed", 5],
  ["unfit", "says nothing", 7],
];

/** Plots the loads in the order of the trials. */
function trialPlot(search: Search, goal: number): Plot {
  const { trials, goals } = search;
  const lines = stateLines.map(
    ([state, label, subject]): Line => ({
      label,
      subject,
      style: "points",
      x: trials.map((_, index) => index + 1),
      y: trials.map(({ load, outcomes }) => (outcomes[goal]?.state === state ? load : null)),
    }),
  );
  return {
    type: "plot",
    isWide: true,
    title: `Loads tried: ${formatSlo(goals[goal]?.slo ?? "")}`,
    note: "Each trial in its order: whether the objective held.",
    x: { label: "Trial", unit: "number" },
    y: { ...loadAxis(search), isLogarithmic: true },
    lines: lines.filter(({ y }) => y.some((load) => load !== null)),
  };
}

function trialTable({ trials, goals, over }: Search): Part {
  const outcomeOf = ({ outcomes }: Trial, goal: number): string => {
    const { state, reason } = outcomes[goal] ?? { state: "unfit", reason: null };
    const label = stateLines.find(([name]) => name === state)?.[1] ?? state;
    return reason === null ? label : `${label}: ${reason}`;
  };
  return {
    type: "table",
    name: "Trials",
    headings: [
      "Trial",
      "Load",
      ...goals.map(({ slo }) => formatSlo(slo)),
      ...trialColumns.map(([name]) => name),
    ],
    textColumns: goals.map((_, index) => index + 2),
    rows: trials.map((trial, index) => ({
      cells: [
        String(index + 1),
        formatLoad(trial.load, over),
        ...goals.map((__, goal) => outcomeOf(trial, goal)),
        ...trialColumns.map(([, read]) => read(trial)),
      ],
    })),
  };
}
