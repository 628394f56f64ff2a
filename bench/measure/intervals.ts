// Bounds the time series of a Result.

import { WasmHistogram } from "hdr-histogram-js";
import type { Tally } from "../load/tally.ts";
import { encodeHistogram } from "../result/histogram.ts";
import type { Second, Spans } from "../result/schema.ts";

/** Longer series are folded: an hour second by second, then two seconds each, and so on. */
const mostEntries = 3600;

/** Latencies and replies in equal spans. */
export function spansOf({ intervals, intervalSeconds }: Tally): Spans {
  const entries = intervals.map(({ encoded, replies }) => {
    const histogram = WasmHistogram.decode(encoded, 32);
    const latency = encodeHistogram(histogram, 1);
    histogram.destroy();
    return { replies, latency };
  });
  return { seconds: intervalSeconds, startSeconds: 0, entries };
}

/** Folds seconds to at most `mostEntries`: rates and CPU become means, other figures keep the worst value. */
export function boundedSeries(series: readonly Second[]): Second[] {
  const size = Math.ceil(series.length / mostEntries);
  if (size <= 1) {
    return [...series];
  }
  return Array.from({ length: Math.ceil(series.length / size) }, (_, i) =>
    foldOf(series.slice(i * size, (i + 1) * size)),
  );
}

function foldOf(seconds: readonly Second[]): Second {
  const known = (read: (second: Second) => number | null): number[] =>
    seconds.map(read).filter((value) => value !== null);
  const mean = (read: (second: Second) => number | null): number | null => {
    const values = known(read);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const worst = (read: (second: Second) => number | null): number | null => {
    const values = known(read);
    return values.length === 0 ? null : Math.max(...values);
  };
  return {
    endSeconds: worst(({ endSeconds }) => endSeconds) ?? 0,
    messagesPerSecond: mean(({ messagesPerSecond }) => messagesPerSecond) ?? 0,
    bytesPerSecond: mean(({ bytesPerSecond }) => bytesPerSecond) ?? 0,
    p50Us: worst(({ p50Us }) => p50Us),
    p99Us: worst(({ p99Us }) => p99Us),
    maxUs: worst(({ maxUs }) => maxUs),
    lagP99Us: worst(({ lagP99Us }) => lagP99Us),
    clientCpuPercent: mean(({ clientCpuPercent }) => clientCpuPercent),
    serverCpuPercent: mean(({ serverCpuPercent }) => serverCpuPercent),
    serverRssBytes: worst(({ serverRssBytes }) => serverRssBytes),
    serverBufferedBytes: worst(({ serverBufferedBytes }) => serverBufferedBytes),
  };
}
