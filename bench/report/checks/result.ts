// Draws the conclusion of a Result: whether it is sound, and each threshold.

import { formatBytes, formatNumber } from "../../../src/lib/format.ts";
import type { Result } from "../../result/schema.ts";
import { formatActual } from "../../result/threshold.ts";
import { unsoundness } from "../../result/verdict.ts";
import { formatUs, titleOf } from "../describe.ts";
import { formatMarkdown } from "../run/markdown.ts";
import type { Conclusion } from "./conclusion.ts";

export function concludeResult(command: string, result: Result): Conclusion {
  const { summary, server, thresholds, verdict, id } = result;
  const problems = unsoundness(result);
  return {
    command,
    title: titleOf(result),
    startedAt: result.window.startedAt,
    seconds: result.window.seconds,
    checks: [
      {
        name: "every message was answered, without errors",
        problem: problems.length === 0 ? null : problems.join("; "),
      },
      ...thresholds.map((threshold) => ({
        name: threshold.expression,
        problem: threshold.passed ? null : `it was ${formatActual(threshold)}`,
      })),
    ],
    figures: {
      id,
      verdict,
      "messages/s": formatNumber(summary.messagesPerSecond),
      "payload/s": formatBytes(summary.bytesPerSecond),
      p50: formatUs(summary.latencyUs?.p50),
      p99: formatUs(summary.latencyUs?.p99),
      "p99.9": formatUs(summary.latencyUs?.p999),
      "server CPU/message": formatUs(server?.cpuUsPerMessage),
    },
    markdown: formatMarkdown([result]),
  };
}
