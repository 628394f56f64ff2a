// Judges a row of stored Results: where a figure changed its level, and whether it has become worse lately.

import { z } from "zod";
import { choosePrimary } from "./analysis.ts";
import { findLevels, meanOf, shortestStretch } from "./change-points.ts";
import { type FigureName, figureNames, sampleOf } from "./comparison.ts";
import { tProbability } from "./interval.ts";
import { type Result, resultSchema, scenarioSchema } from "./schema.ts";
import { differencesIn, loadOf, machineOf, systemOf } from "./stored.ts";
import { unsoundness } from "./verdict.ts";

/** The `kind` of every History. */
const historyKind = "uws-echo-bench/history";
const historyVersion = 1;

/** Older Results are left out. */
const mostResults = 1000;
/** Significance level of a change. It is small because many positions are tested. */
const significance = 0.001;

/** `regression`: the last change made it worse, and is recent. `improvement`: better, and recent. */
const historyFindings = ["regression", "improvement", "steady", "too-few"] as const;

const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const placeSchema = z.strictObject({
  id: z.string(),
  label: z.string().nullable(),
  startedAt: z.iso.datetime(),
});

const levelSchema = z.strictObject({
  /** The first Result of it. */
  from: placeSchema,
  results: count,
  /** The geometric mean of the figure. */
  value: amount,
  /** Over the level before; null for the first one. */
  ratio: amount.nullable(),
  /** Other changes at that point: commit, versions, kernel. */
  changes: z.array(z.string()),
});

const figureSchema = z.strictObject({
  figure: z.enum(figureNames),
  finding: z.enum(historyFindings),
  /** In order; changes within the margin do not count. */
  levels: z.array(levelSchema),
  /** Results that know the figure. */
  results: count,
  /** The newest Result over the last level, when it alone lies beyond what its noise explains; else null. */
  newest: amount.nullable(),
});

const trackSchema = z.strictObject({
  /** What is measured: the label, or else the URL. */
  title: z.string(),
  scenario: scenarioSchema,
  loop: resultSchema.shape.loop,
  /** From the oldest to the newest, which decides what machine counts. */
  results: z.array(placeSchema),
  /** Results that were not judged, each with why. */
  leftOut: z.array(placeSchema.extend({ why: z.string() })),
  figures: z.array(figureSchema).min(1),
});

export const historySchema = z.strictObject({
  kind: z.literal(historyKind),
  version: z.literal(historyVersion),
  margin: z.number().positive(),
  /** A change counts as recent when it is among the newest so many Results. */
  recent: count,
  /** One for each target and load. */
  tracks: z.array(trackSchema).min(1),
});

export type History = z.infer<typeof historySchema>;
export type Track = History["tracks"][number];
export type FigureHistory = Track["figures"][number];
export type HistoryLevel = FigureHistory["levels"][number];

export interface HistoryOptions {
  /** Figures to judge; empty to choose the most informative one. */
  readonly figures: readonly FigureName[];
  /** Smaller changes are ignored. */
  readonly margin: number;
  readonly recent: number;
}

/** @param results of any targets and loads, at least one, in any order */
export function judgeHistory(results: readonly Result[], options: HistoryOptions): History {
  const byLoad = new Map<string, Result[]>();
  for (const result of results.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const load = JSON.stringify([titleOf(result), loadOf(result)]);
    byLoad.set(load, [...(byLoad.get(load) ?? []), result]);
  }
  const { margin, recent } = options;
  return {
    kind: historyKind,
    version: historyVersion,
    margin,
    recent,
    tracks: [...byLoad.values()].map((ordered) => judgeTrack(ordered, options)),
  };
}

/** @param ordered at least one Result of one target and load, the oldest first */
function judgeTrack(ordered: readonly Result[], { figures, margin, recent }: HistoryOptions): Track {
  const sound = ordered.filter((result) => unsoundness(result).length === 0);
  const newest = (sound.at(-1) ?? ordered.at(-1)) as Result;
  const judged = sound.filter((result) => whyStrange(result, newest) === undefined).slice(-mostResults);
  const kept = new Set(judged);
  const samples = judged.map((result) => ({ round: 1, arm: 0, process: 1 as const, ...sampleOf(result) }));
  const chosen = figures.length === 0 ? [choosePrimary(samples, newest.scenario)] : figures;
  return {
    title: titleOf(newest),
    scenario: newest.scenario,
    loop: newest.loop,
    results: judged.map(placeOf),
    leftOut: ordered
      .filter((result) => !kept.has(result))
      .map((result) => ({ ...placeOf(result), why: whyLeftOut(result, newest) })),
    figures: chosen.map((figure) => judgeFigure(figure, judged, { margin, recent })),
  };
}

function timeOf({ window }: Result): number {
  return Date.parse(window.startedAt);
}

function titleOf({ label, target }: Result): string {
  return label ?? target.url;
}

function placeOf({ id, label, window }: Result): z.infer<typeof placeSchema> {
  return { id, label, startedAt: window.startedAt };
}

function whyLeftOut(result: Result, newest: Result): string {
  const problems = unsoundness(result);
  return problems.length > 0
    ? `it is not acceptable: ${problems.join("; ")}`
    : (whyStrange(result, newest) ?? `there are ${mostResults} newer ones`);
}

/** Why a Result is of another machine; undefined when it is not. */
function whyStrange(result: Result, newest: Result): string | undefined {
  return differencesIn([result, newest].map(machineOf)).join("; ") || undefined;
}

function judgeFigure(
  figure: FigureName,
  all: readonly Result[],
  { margin, recent }: Pick<HistoryOptions, "margin" | "recent">,
): FigureHistory {
  const known = all.flatMap((result) => {
    const value = sampleOf(result).figures[figure] ?? null;
    return value === null || value <= 0 ? [] : [{ result, log: Math.log(value) }];
  });
  const logs = known.map(({ log }) => log);
  const starts = significantStarts(logs, margin);
  const levels = starts.map((start, index): HistoryLevel => {
    const mean = meanOf(logs.slice(start, starts[index + 1]));
    const before = index === 0 ? null : meanOf(logs.slice(starts[index - 1], start));
    const [first, previous] = [known[start]?.result, known[start - 1]?.result];
    return {
      from: placeOf(first as Result),
      results: (starts[index + 1] ?? logs.length) - start,
      value: Math.exp(mean),
      ratio: before === null ? null : Math.exp(mean - before),
      changes: first === undefined || previous === undefined ? [] : changesBetween(previous, first),
    };
  });
  const last = levels.at(-1);
  return {
    figure,
    finding: logs.length < 2 * shortestStretch ? "too-few" : findingOf(figure, last, recent),
    levels,
    results: logs.length,
    newest: outlyingNewest(logs, starts.at(-1) ?? 0, margin),
  };
}

function findingOf(
  figure: FigureName,
  last: HistoryLevel | undefined,
  recent: number,
): FigureHistory["finding"] {
  if (last?.ratio == null || last.results > recent) {
    return "steady";
  }
  return last.ratio > 1 === (figure === "messagesPerSecond") ? "improvement" : "regression";
}

/** Where levels begin that differ by more than the margin, and more than the noise within them explains. */
function significantStarts(logs: readonly number[], margin: number): number[] {
  if (logs.length === 0) {
    return [];
  }
  const starts = logs.length < 2 * shortestStretch ? [0] : findLevels(logs);
  const noise = noiseWithin(logs, starts);
  const kept: number[] = [];
  for (const [index, start] of starts.entries()) {
    const before = logs.slice(kept.at(-1) ?? 0, start);
    const after = logs.slice(start, starts[index + 1]);
    if (index === 0 || isDifferent(before, after, noise, margin)) {
      kept.push(start);
    }
  }
  return kept;
}

interface Noise {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/** Variance about the levels. */
function noiseWithin(logs: readonly number[], starts: readonly number[]): Noise {
  const squares = starts.flatMap((start, index) => {
    const values = logs.slice(start, starts[index + 1]);
    const mean = meanOf(values);
    return values.map((value) => (value - mean) ** 2);
  });
  const degreesOfFreedom = Math.max(1, logs.length - starts.length);
  return { variance: squares.reduce((sum, square) => sum + square, 0) / degreesOfFreedom, degreesOfFreedom };
}

function isDifferent(
  before: readonly number[],
  after: readonly number[],
  noise: Noise,
  margin: number,
): boolean {
  const mean = meanOf(after) - meanOf(before);
  const standardError = Math.sqrt(noise.variance * (1 / before.length + 1 / after.length));
  return (
    Math.abs(mean) > Math.log1p(margin) &&
    tProbability({ mean, standardError, degreesOfFreedom: noise.degreesOfFreedom }) < significance
  );
}

/** The newest value over the level of those before it, when it alone is far from them. */
function outlyingNewest(logs: readonly number[], start: number, margin: number): number | null {
  const newest = logs.slice(-1);
  const before = logs.slice(start, -1);
  if (before.length < shortestStretch || !isDifferent(before, newest, noiseWithin(before, [0]), margin)) {
    return null;
  }
  return Math.exp((newest[0] ?? 0) - meanOf(before));
}

/** The differences in environment, one sentence each. */
function changesBetween(before: Result, after: Result): string[] {
  const facts = [before, after].map((result) => ({
    commit: result.environment.commit?.slice(0, 10) ?? null,
    ...systemOf(result),
  }));
  const [old = {}, now = {}] = facts as readonly Readonly<Record<string, unknown>>[];
  return Object.keys(now)
    .filter((name) => old[name] !== now[name])
    .map((name) => `${name.replace("environment.", "")} ${String(old[name])} to ${String(now[name])}`);
}
