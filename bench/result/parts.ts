// Tracks the parts of a merged Result, so that none counts twice.

import { createHash } from "node:crypto";
import { formatDurationUs } from "../../src/lib/format.ts";
import type { Part, Result } from "./schema.ts";

/** An id for what has none: the same for the same content. */
export function hashOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
}

/** A Result as a part of a merged one, or the parts of an already merged one. */
export function partsOf(result: Result): Part[] {
  if (result.parts.length > 0) {
    return result.parts;
  }
  const { id, label, window, summary } = result;
  return [
    {
      id,
      label,
      startedAt: window.startedAt,
      messagesPerSecond: summary.messagesPerSecond,
      p99Us: summary.latencyUs?.p99 ?? null,
    },
  ];
}

/** A part whose p99 is this many times that of the median part gets a warning. */
const outlyingPart = 2;

/** A warning for each part that may have had a slow machine or network. */
export function outlyingParts(parts: readonly Part[]): string[] {
  const known = parts.flatMap(({ p99Us, ...part }) => (p99Us === null ? [] : [{ ...part, p99Us }]));
  // The lower one of two middle parts, because one of two generators can be the outlier.
  const middle =
    known.map(({ p99Us }) => p99Us).sort((a, b) => a - b)[Math.floor((known.length - 1) / 2)] ?? 0;
  return known
    .filter(({ p99Us }) => p99Us > outlyingPart * middle)
    .map(
      ({ label, startedAt, p99Us }) =>
        `The part ${label ?? startedAt} has a p99 of ${formatDurationUs(p99Us)}, the middle part ${formatDurationUs(middle)}: ` +
        "check its machine before you trust the merged percentiles.",
    );
}

/** A sentence for each part of a merged Result that is also among the other Results. */
export function repeatedParts(results: readonly Result[]): string[] {
  return results.flatMap((merged, index) => {
    const others = new Set(
      results.flatMap((other, place) => (place === index ? [] : partsOf(other).map(({ id }) => id))),
    );
    return merged.parts
      .filter(({ id }) => others.has(id))
      .map(
        ({ label, startedAt }) =>
          `the Result of ${label ?? startedAt} is also a part of a merged Result: it would count twice`,
      );
  });
}
