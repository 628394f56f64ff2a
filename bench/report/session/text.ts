// Lays out the text reports of sessions: labels, tables, head and foot.

import { wrapText } from "../../../src/lib/columns.ts";
import { formatNumber } from "../../../src/lib/format.ts";
import type { Look } from "../../../src/lib/terminal.ts";
import type { Environment } from "../../result/schema.ts";
import type { Close } from "../../result/schema-figures.ts";
import type { MetThreshold } from "../../result/session-document.ts";
import { formatActual } from "../../result/threshold.ts";
import { failureLines, footBlocks, joinBlocks } from "../blocks.ts";

const labelWidth = 13;

/** Formats a labelled line; continuation lines are indented to its text. */
export function labelled(label: string, text: string, { width }: Look): string[] {
  return wrapText(text, width - labelWidth - 1).map(
    (part, index) => `${(index === 0 ? label : "").padEnd(labelWidth)} ${part}`,
  );
}

/** The fields of a session document besides its figures. */
interface Framed {
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly thresholds: readonly MetThreshold[];
  readonly environment: Environment;
}

/** Title and failures first, thresholds and warnings after the blocks of figures; an empty line between two blocks. */
export function frameText(title: string, report: Framed, blocks: readonly string[][], look: Look): string {
  return joinBlocks([
    wrapText(title, look.width).map(look.paint.bold),
    failureLines(report.failures, look),
    ...blocks,
    report.thresholds.flatMap((threshold) => thresholdLines(threshold, look)),
    ...footBlocks(report, look),
  ]);
}

function thresholdLines(threshold: MetThreshold, look: Look): string[] {
  const { passed, expression } = threshold;
  const text = `${expression} (it was ${formatActual(threshold)})`;
  return labelled(passed ? "met" : "NOT MET", text, look).map(passed ? look.paint.green : look.paint.red);
}

/** `17 closed-1001 (60 to 75 s)`, one for each kind, the most frequent first. */
export function describeCloses(closes: readonly Close[]): string[] {
  const kinds = new Map<string, Close[]>();
  for (const close of closes) {
    kinds.set(close.kind, [...(kinds.get(close.kind) ?? []), close]);
  }
  return [...kinds]
    .map(([kind, all]) => ({
      kind,
      count: all.reduce((sum, { count }) => sum + count, 0),
      from: Math.min(...all.map(({ second }) => second)),
      until: Math.max(...all.map(({ second }) => second)),
    }))
    .sort((a, b) => b.count - a.count)
    .map(
      ({ kind, count, from, until }) =>
        `${formatNumber(count)} ${kind} (${from === until ? `at ${from} s` : `${from} to ${until} s`})`,
    );
}
