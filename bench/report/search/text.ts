// Formats a Search as text.

import { alignColumns, wrapText } from "../../../src/lib/columns.ts";
import { type Look, plainLook } from "../../../src/lib/terminal.ts";
import type { Search } from "../../result/search.ts";
import { describeEnvironment } from "../describe.ts";
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
  const { target, label, environment, failures, warnings } = search;
  const { width, paint } = look;
  const fit = (text: string): string[] => wrapText(text, width);
  const blocks = [
    search.goals.flatMap((goal, index) => {
      const reason = reasonAt(goal, index, search.trials);
      return fit(`${describeGoal(goal, search)}${reason === undefined ? "" : ` (${reason})`}`).map(
        paint.bold,
      );
    }),
    fit(`${label === null ? "" : `${label}: `}${target} · ${describeSetting(search)}`),
    failures.length === 0
      ? []
      : fit(`NOT ACCEPTABLE: ${failures.join("; ")}.`).map((line) => paint.bold(paint.red(line))),
    latencyTable(search),
    fit(describeMethod(search)),
    warnings.flatMap((warning) => fit(`! ${warning}`).map(paint.yellow)),
    fit(describeEnvironment(environment)).map(paint.dim),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
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
