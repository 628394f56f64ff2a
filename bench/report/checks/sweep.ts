// Draws the conclusion of a Sweep: whether every measurement was made and may be used.

import type { Sweep } from "../../result/sweep.ts";
import { formatSweepsMarkdown } from "../sweep/markdown.ts";
import type { Conclusion } from "./conclusion.ts";

export function concludeSweepChecks(command: string, sweep: Sweep): Conclusion {
  const { label, target, startedAt, samples, planned } = sweep;
  const left = planned - samples.length;
  return {
    command,
    title: label ?? target,
    startedAt,
    seconds: 0,
    checks: [
      {
        name: "everything was measured",
        problem: left === 0 ? null : `${left} of ${planned} measurements are missing`,
      },
      ...samples.map(({ file, failures }) => ({
        name: file.replace(/\.json$/, ""),
        problem: failures.length === 0 ? null : failures.join("; "),
      })),
    ],
    figures: {},
    markdown: formatSweepsMarkdown([sweep]),
  };
}
