// Tracks the parts of a merged Result, so that none counts twice.

import { createHash } from "node:crypto";
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
