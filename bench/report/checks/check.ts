// Draws the conclusion of a CheckReport: one check for each of its checks, without those that were not tested.

import type { CheckReport } from "../../result/check.ts";
import { formatChecksMarkdown } from "../check/markdown.ts";
import { describeCounts } from "../check/words.ts";
import type { Conclusion } from "./conclusion.ts";

export function concludeCheck(command: string, report: CheckReport): Conclusion {
  const { url, startedAt, durationMs, partial, checks } = report;
  return {
    command,
    title: url,
    startedAt,
    seconds: durationMs / 1000,
    checks: [
      { name: "the checks were finished", problem: partial?.reason ?? null },
      ...checks
        .filter(({ status }) => status !== "not-tested")
        .map(({ title, status, seen, advice }) => ({
          name: title,
          problem: status === "fails" ? [seen, ...(advice === null ? [] : [advice])].join(": ") : null,
        })),
    ],
    figures: { checks: describeCounts(report) },
    markdown: formatChecksMarkdown([report]),
  };
}
