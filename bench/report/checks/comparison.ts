// Draws the conclusion of a Comparison: whether it is sound, and whether a finding of `failOn` occurred.

import { type Comparison, type Finding, isAcceptable } from "../../result/comparison.ts";
import { formatComparisonsMarkdown } from "../comparison/markdown.ts";
import { describeFinding, figureTitles, formatRatios, knownFigures } from "../comparison/words.ts";
import type { Conclusion } from "./conclusion.ts";

/** @param failOn findings of the primary figure that count as a failure */
export function concludeComparison(comparison: Comparison, failOn: readonly Finding[]): Conclusion {
  const { arms, figures, primary, margin, startedAt, warnings } = comparison;
  const [a, b] = arms;
  const contrast = figures[primary];
  return {
    command: "compare",
    title: `${b?.name} against ${a?.name}`,
    startedAt,
    seconds: 0,
    checks: [
      {
        name: "every measurement may be used",
        problem: isAcceptable(comparison) ? null : (warnings[0] ?? "a measurement is not acceptable"),
      },
      ...failOn.map((finding) => ({
        name: `${figureTitles[primary]} is not ${finding}`,
        problem:
          contrast.finding === finding
            ? `${describeFinding(contrast, margin, b?.name ?? "")}: ${formatRatios(contrast)}`
            : null,
      })),
    ],
    figures: Object.fromEntries(
      knownFigures(comparison, figures).map((figure) => [
        figureTitles[figure],
        `${formatRatios(figures[figure])}, ${describeFinding(figures[figure], margin, b?.name ?? "")}`,
      ]),
    ),
    markdown: formatComparisonsMarkdown([comparison]),
  };
}
