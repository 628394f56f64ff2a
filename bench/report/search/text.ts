// Formats a Search as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Search } from "../../result/search.ts";
import { failureLines, footBlocks, joinBlocks } from "../blocks.ts";
import {
  describeGoal,
  describeMethod,
  describeSetting,
  formatLoad,
  keyTrials,
  reasonAt,
  trialColumns,
} from "./words.ts";

/** The result of each goal first, then latencies at lower loads, the method, and warnings. */
export function formatSearch(search: Search, look: Look = plainLook): string {
  const { target, label } = search;
  const { width, paint } = look;
  const fit = (text: string): string[] => wrapText(text, width);
  return joinBlocks([
    search.goals.flatMap((goal, index) => {
      const reason = reasonAt(goal, index, search.trials);
      return fit(`${describeGoal(goal, search)}${reason === undefined ? "" : ` (${reason})`}`).map(
        paint.bold,
      );
    }),
    fit(`${label === null ? "" : `${label}: `}${target} · ${describeSetting(search)}`),
    failureLines(search.failures, look),
    latencyTable(search),
    fit(describeMethod(search)),
    ...footBlocks(search, look),
  ]);
}

function latencyTable(search: Search): string[] {
  const trials = keyTrials(search);
  if (trials.length === 0) {
    return [];
  }
  const rows = trials.map(({ title, trial }) => [
    title,
    formatLoad(trial.load, search.over),
    ...trialColumns.map(([, read]) => read(trial)),
  ]);
  return alignColumns([["latency", "load", ...trialColumns.map(([name]) => name)], ...rows]);
}
