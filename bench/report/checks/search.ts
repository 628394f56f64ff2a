// Draws the conclusion of a Search: whether each goal has an answer.

import { isAnswered, type Search } from "../../result/search.ts";
import { formatSearchesMarkdown } from "../search/markdown.ts";
import { describeGoal, formatLoad, formatSlo, unconfirmed } from "../search/words.ts";
import type { Check, Conclusion } from "./conclusion.ts";

export function concludeSearch(command: string, search: Search): Conclusion {
  const { goals, label, target, startedAt, seconds, stop, over } = search;
  return {
    command,
    title: label ?? target,
    startedAt,
    seconds,
    checks: [
      ...goals.map(
        (goal): Check => ({
          name: goal.slo,
          problem: isAnswered(goal) ? null : describeGoal(goal, search),
        }),
      ),
      {
        name: "every result was confirmed",
        problem: unconfirmed(search)[0] ?? (stop === "complete" ? null : `the search ended: ${stop}`),
      },
    ],
    figures: Object.fromEntries(
      goals.flatMap(({ slo, lower }) => (lower === null ? [] : [[formatSlo(slo), formatLoad(lower, over)]])),
    ),
    markdown: formatSearchesMarkdown([search]),
  };
}
