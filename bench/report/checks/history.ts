// Draws the conclusion of a History: a check for each figure of each target and load.

import type { History } from "../../result/history.ts";
import { figureTitles } from "../comparison/words.ts";
import { formatHistoryMarkdown } from "../history/markdown.ts";
import { describeHistory, formatLevel } from "../history/words.ts";
import type { Conclusion } from "./conclusion.ts";

export function concludeHistory(history: History): Conclusion {
  const { tracks } = history;
  const places = tracks.flatMap(({ results }) => results);
  const every = tracks.flatMap((track) => track.figures.map((figure) => ({ title: track.title, figure })));
  return {
    command: "gate",
    title: "history",
    startedAt:
      places
        .map(({ startedAt }) => startedAt)
        .sort()
        .at(-1) ?? new Date().toISOString(),
    seconds: 0,
    checks: every.map(({ title, figure }) => ({
      name: `${title}: ${figureTitles[figure.figure]} has not become worse`,
      problem: figure.finding === "regression" ? describeHistory(figure) : null,
    })),
    figures: Object.fromEntries(
      every.flatMap(({ title, figure }) => {
        const last = figure.levels.at(-1);
        return last === undefined
          ? []
          : [[`${title}: ${figureTitles[figure.figure]}`, formatLevel(figure, last)] as const];
      }),
    ),
    markdown: formatHistoryMarkdown(history),
  };
}
