// Makes the page of Results: figures, latencies, and figures over time, with one line for each Result.

import { formatBytes, formatNumber, formatPercent } from "../../../src/lib/format.ts";
import type { Result, Verdict } from "../../result/schema.ts";
import {
  describeCommand,
  describeEnvironment,
  describeLoad,
  describeLoop,
  describeVerdict,
  distinctTitles,
  formatUs,
  shownThresholds,
} from "../describe.ts";
import { commandWidth, type Page, type Section, type Subject, type Table, type Tone } from "../frame/page.ts";
import { latencyPlots, timePlots } from "./plots.ts";
import { stepTitle, wideStepColumns } from "./steps.ts";
import { tilesOf } from "./tiles.ts";

const tones: Readonly<Record<Verdict, Tone>> = {
  "server-bound": "good",
  "rate-limited": "good",
  "client-bound": "bad",
  idle: "plain",
  invalid: "bad",
};

export function pageOfResults(results: readonly Result[]): Page {
  const titles = distinctTitles(results);
  const overTime = timePlots(results, titles);
  return {
    title: titles.length === 1 ? (titles[0] ?? "") : `${titles.length} measurements`,
    subjects: results.map((result, index) => subjectOf(result, titles[index] ?? "", results[0])),
    sections: [
      { title: "Figures", notes: deltaNotes(results), parts: [figuresOf(results, titles)] },
      { title: "Latency", parts: latencyPlots(results, titles) },
      ...stageSections(results, titles),
      ...(overTime.length === 0 ? [] : [{ title: "Over time", parts: overTime }]),
    ],
  };
}

function subjectOf(result: Result, title: string, first: Result | undefined): Subject {
  const { loop, engine, window, environment, verdict, failures, warnings, thresholds } = result;
  return {
    title,
    badge: { text: verdict, tone: tones[verdict], meaning: describeVerdict(verdict) },
    summary: [`${describeLoad(result)}.`, `engine ${engine.name} ${engine.version}`, describeLoop(loop)],
    tiles: tilesOf(result, first === result ? undefined : first),
    failures,
    warnings,
    thresholds: shownThresholds(thresholds),
    command: describeCommand(result, commandWidth),
    startedAt: window.startedAt,
    environment: describeEnvironment(environment),
    document: result,
  };
}

function deltaNotes({ length }: readonly Result[]): string[] {
  return length === 1
    ? []
    : [
        "Differences are to the first measurement, and coloured where the 95 % intervals of both do not overlap. " +
          "Two single runs cannot separate a difference from the noise between runs; uws-echo-bench compare can.",
      ];
}

/** A table for each measurement that has stages. */
function stageSections(results: readonly Result[], titles: readonly string[]): Section[] {
  const parts = results.flatMap(({ steps }, subject): Table[] =>
    steps.length === 0
      ? []
      : [
          {
            type: "table",
            name: `Stages of ${titles[subject] ?? ""}`,
            headings: ["Stage", ...wideStepColumns.map(([heading]) => heading)],
            rows: steps.map((step) => ({
              subject,
              cells: [stepTitle(step), ...wideStepColumns.map(([, cell]) => cell(step))],
            })),
          },
        ],
  );
  return parts.length === 0 ? [] : [{ title: "Stages", parts }];
}

const columns: readonly (readonly [string, (result: Result) => string])[] = [
  ["Messages/s", ({ summary }) => formatNumber(summary.messagesPerSecond)],
  ["Payload/s", ({ summary }) => formatBytes(summary.bytesPerSecond)],
  ["p50", ({ summary }) => formatUs(summary.latencyUs?.p50)],
  ["p90", ({ summary }) => formatUs(summary.latencyUs?.p90)],
  ["p99", ({ summary }) => formatUs(summary.latencyUs?.p99)],
  ["p99.9", ({ summary }) => formatUs(summary.latencyUs?.p999)],
  ["p99.99", ({ summary }) => formatUs(summary.latencyUs?.p9999)],
  ["max", ({ summary }) => formatUs(summary.latencyUs?.max)],
  ["Lost", ({ messages }) => formatNumber(messages.lost)],
  ["Corrupt", ({ messages }) => formatNumber(messages.corrupt)],
  ["Server CPU", ({ server }) => (server?.cpuPercent == null ? "-" : formatPercent(server.cpuPercent))],
  ["Client CPU", ({ client }) => formatPercent(client.cpuPercent)],
  ["Generator lag p99", ({ client }) => formatUs(client.lagUs)],
];

function figuresOf(results: readonly Result[], titles: readonly string[]): Table {
  return {
    type: "table",
    name: "Figures",
    headings: ["Measurement", ...columns.map(([heading]) => heading)],
    rows: results.map((result, subject) => ({
      subject,
      cells: [titles[subject] ?? "", ...columns.map(([, value]) => value(result))],
    })),
  };
}
