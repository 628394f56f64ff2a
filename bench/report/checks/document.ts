// Draws the conclusion of a session document: whether it is sound, and each threshold.

import { plainLook } from "../../../src/lib/terminal.ts";
import { formatActual } from "../../result/threshold.ts";
import { titleOf } from "../describe.ts";
import { reportSources } from "../kinds.ts";
import type { SessionDocument } from "../session/kind.ts";
import type { Conclusion } from "./conclusion.ts";

export type ConcludedDocument = Pick<
  SessionDocument,
  "kind" | "label" | "target" | "startedAt" | "thresholds" | "failures"
>;

/** @param document of a kind that `report` reads */
export function concludeDocument(command: string, document: ConcludedDocument): Conclusion {
  const { startedAt, thresholds, failures } = document;
  const problems = failures.filter((failure) => !failure.startsWith("threshold "));
  const form = { format: "markdown", service: false, look: plainLook } as const;
  return {
    command,
    title: titleOf(document),
    startedAt,
    seconds: 0,
    checks: [
      { name: "nothing failed", problem: problems.length === 0 ? null : problems.join("; ") },
      ...thresholds.map((threshold) => ({
        name: threshold.expression,
        problem: threshold.passed ? null : `it was ${formatActual(threshold)}`,
      })),
    ],
    figures: {},
    markdown: reportSources([{ name: command, text: JSON.stringify(document) }], form),
  };
}
