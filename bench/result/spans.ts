// The latencies of equal spans of a window: what follows from them, and how those of several generators add up.

import { sumOf } from "./aggregate.ts";
import { bootstrapSeed, resample, resamples, type SparseHistogram, sparseOf } from "./bootstrap.ts";
import { addHistograms, decodeHistogram, encodeHistogram } from "./histogram.ts";
import type { EncodedHistogram, Result, Spans } from "./schema.ts";

/** 95 % intervals of rate and percentiles; null when there are too few spans. */
export function intervalsOf({ seconds, entries }: Spans): Result["intervals"] {
  const spans = entries.map(({ latency, replies }) => ({ histogram: bucketsOf(latency), replies }));
  const resampled = resample(spans, [50, 99, 99.9]);
  if (resampled === undefined) {
    return null;
  }
  const unitNs = entries[0]?.latency.unitNs ?? 1;
  const [p50, p99, p999] = resampled.percentiles.map((interval) =>
    interval === null ? null : scale(interval, unitNs / 1000),
  );
  return {
    resamples,
    seed: bootstrapSeed,
    spans: spans.length,
    spanSeconds: seconds,
    messagesPerSecond: scale(resampled.repliesPerSpan, 1 / seconds),
    latencyUs: { p50: p50 ?? null, p99: p99 ?? null, p999: p999 ?? null },
  };
}

function scale({ low, high }: { low: number; high: number }, by: number): { low: number; high: number } {
  return { low: low * by, high: high * by };
}

function bucketsOf(latency: EncodedHistogram): SparseHistogram {
  return sparseOf(decodeHistogram(latency).histogram);
}

/** Spans of one generator, and when its window began. */
export interface PlacedSpans {
  readonly startedMs: number;
  readonly spans: Spans | null;
}

/**
 * The spans that all generators have, added up: each with those that began at about the same time.
 * @returns null when some have none, or theirs are of another length
 */
export function mergeSpans(parts: readonly PlacedSpans[]): Spans | null {
  const known = parts.flatMap(({ startedMs, spans }) => (spans === null ? [] : [{ startedMs, spans }]));
  const seconds = known[0]?.spans.seconds;
  if (
    seconds === undefined ||
    known.length < parts.length ||
    known.some((part) => part.spans.seconds !== seconds)
  ) {
    return null;
  }
  const aligned = align(
    known.map(({ startedMs, spans }) => ({
      startedMs: startedMs + 1000 * spans.startSeconds,
      items: spans.entries,
    })),
    seconds,
  );
  const firstMs = Math.min(...known.map(({ startedMs }) => startedMs));
  return {
    seconds,
    startSeconds: (aligned.startedMs - firstMs) / 1000,
    entries: aligned.items.map((entries) => {
      const { histogram, unitNs } = addHistograms(entries.map(({ latency }) => decodeHistogram(latency)));
      return {
        replies: sumOf(entries, ({ replies }) => replies),
        latency: encodeHistogram(histogram, unitNs),
      };
    }),
  };
}

/**
 * What several generators have of each time at which all of them have something.
 * @param seconds length of one item
 */
export function align<T>(
  parts: readonly { readonly startedMs: number; readonly items: readonly T[] }[],
  seconds: number,
): { startedMs: number; items: T[][] } {
  const firstMs = Math.min(...parts.map(({ startedMs }) => startedMs));
  const placed = parts.map(({ startedMs, items }) => ({
    items,
    place: Math.round((startedMs - firstMs) / 1000 / seconds),
  }));
  const from = Math.max(...placed.map(({ place }) => place));
  const until = Math.min(...placed.map(({ place, items }) => place + items.length));
  const items = Array.from({ length: Math.max(0, until - from) }, (_, index) =>
    placed.flatMap((part) => part.items[from + index - part.place] ?? []),
  );
  return { startedMs: firstMs + 1000 * from * seconds, items };
}
