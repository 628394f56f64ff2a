// Formats Searches as Markdown: the result of each goal, latencies, warnings and the environment.

import type { Search } from "../../result/search.ts";
import { describeEnvironment } from "../describe.ts";
import { formatList, formatTable } from "../markdown-table.ts";
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

/** All Searches, one after the other. */
export function formatSearchesMarkdown(searches: readonly Search[]): string {
  return searches.map(formatOne).join("\n");
}

function formatOne(search: Search): string {
  const { target, label, environment, over, goals, failures, warnings } = search;
  const blocks = [
    `### ${label ?? target}`,
    goals.map((goal) => `**${describeGoal(goal, search)}**`).join("\n\n"),
    `- \`${target.replaceAll("`", "'")}\`\n- ${describeSetting(search)}\n- ${describeMethod(search)}`,
    failures.length === 0 ? "" : `**Not acceptable**\n\n${formatList(failures)}`,
    formatTable(
      ["Objective", "Verdict", "Holds", "Failed at", "Why", "Answered at the result"],
      goals.map((goal, index) => [
        formatSlo(goal.slo),
        goal.verdict,
        goal.lower === null ? "-" : formatLoad(goal.lower, over),
        goal.upper === null ? "-" : formatLoad(goal.upper, over),
        reasonAt(goal, index, search.trials) ?? goal.limitedBy ?? "-",
        goal.conditional === null ? "-" : formatLoad(goal.conditional, "rate"),
      ]),
    ),
    latencyTable(search),
    warnings.length === 0 ? "" : `**Warnings**\n\n${formatList(warnings)}`,
    `- ${describeEnvironment(environment)}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function latencyTable(search: Search): string {
  const trials = keyTrials(search);
  return trials.length === 0
    ? ""
    : formatTable(
        ["Part of the result", "Load", ...trialColumns.map(([name]) => name)],
        trials.map(({ title, trial }) => [
          title,
          formatLoad(trial.load, search.over),
          ...trialColumns.map(([, read]) => read(trial)),
        ]),
        1,
      );
}
