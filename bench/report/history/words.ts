// Formats the sentences that all reports of a History share.

import type { FigureHistory, HistoryLevel, Track } from "../../result/history.ts";
import { figureTitles, formatFigure, formatShare } from "../comparison/words.ts";
import { describeLoad } from "../describe.ts";

/** `14 Results of 2026-11-01 to 2026-11-24: 64 connections x 1 in flight, ...` */
export function describeTrack({ results, scenario, loop }: Track): string {
  const [first, last] = [results[0], results.at(-1)];
  const days = [first, last].map((place) => place?.startedAt.slice(0, 10));
  const span = days[0] === days[1] ? `of ${days[0]}` : `of ${days[0]} to ${days[1]}`;
  const window = { startedAt: "", seconds: scenario.durationMs / 1000 };
  const count = `${results.length} ${results.length === 1 ? "Result" : "Results"}`;
  return `${count}${results.length === 0 ? "" : ` ${span}`}: ${describeLoad({ scenario, loop, window })}.`;
}

/** `4.70 us` */
export function formatLevel({ figure }: FigureHistory, { value }: HistoryLevel): string {
  return formatFigure(figure, value);
}

/** `higher by 11 %`; empty for the first level. */
export function describeStep({ ratio }: HistoryLevel): string {
  return ratio === null ? "" : `${ratio > 1 ? "higher" : "lower"} by ${formatShare(Math.abs(ratio - 1))}`;
}

/** Describes the conclusion about one figure, in one sentence. */
export function describeHistory(history: FigureHistory): string {
  const { figure, finding, levels, results } = history;
  const title = figureTitles[figure];
  const last = levels.at(-1);
  const since = last === undefined ? "" : `since ${last.from.startedAt}`;
  switch (finding) {
    case "regression":
    case "improvement":
      return `${finding}: ${title} is ${last === undefined ? "" : describeStep(last)} ${since}`;
    case "steady":
      return `steady: ${title} has its level ${since}`;
    case "too-few":
      return `too few: ${results} ${results === 1 ? "Result has" : "Results have"} ${title}, and it takes 6`;
  }
}

/** Describes an outlying newest Result; undefined if it is not an outlier. */
export function describeNewest({ figure, newest, levels }: FigureHistory): string | undefined {
  return newest === null || (levels.at(-1)?.results ?? 0) < 2
    ? undefined
    : `The newest Result alone is ${formatShare(Math.abs(newest - 1))} ${newest > 1 ? "above" : "below"} its level in ${figureTitles[figure]}: measure again. Three like it are a change.`;
}

/** Results that were not judged, grouped by the reason. */
export function describeLeftOut({ leftOut }: Track): string[] {
  const counts = new Map<string, number>();
  for (const { why } of leftOut) {
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  return [...counts].map(
    ([why, count]) => `${count} ${count === 1 ? "Result is" : "Results are"} left out: ${why}.`,
  );
}
