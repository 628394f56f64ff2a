// The intervals of a Result's percentiles, and its series within bounds.

import {
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  JsHistogram,
  WasmHistogram,
} from "hdr-histogram-js";
import type { Tally } from "../load/tally.ts";
import { bootstrapSeed, resample, resamples, sparseOf } from "../result/bootstrap.ts";
import type { Result, Second } from "../result/schema.ts";

/** Longer series are folded: an hour second by second, then two seconds each, and so on. */
const mostEntries = 3600;

export function intervalFigures({ intervals, intervalSeconds }: Tally): Result["intervals"] {
  const spans = intervals.map(({ encoded, replies }) => ({
    histogram: sparseOf(readable(encoded)),
    replies,
  }));
  const resampled = resample(spans, [50, 99, 99.9]);
  if (resampled === undefined) {
    return null;
  }
  const scaled = (interval: { low: number; high: number } | null | undefined, by: number) =>
    interval == null ? null : { low: interval.low / by, high: interval.high / by };
  const [p50, p99, p999] = resampled.percentiles.map((interval) => scaled(interval, 1000));
  const { low, high } = resampled.repliesPerSpan;
  return {
    resamples,
    seed: bootstrapSeed,
    spans: spans.length,
    spanSeconds: intervalSeconds,
    messagesPerSecond: { low: low / intervalSeconds, high: high / intervalSeconds },
    latencyUs: { p50: p50 ?? null, p99: p99 ?? null, p999: p999 ?? null },
  };
}

/** Only histograms in JavaScript show their buckets. */
function readable(encoded: Uint8Array): JsHistogram {
  const inWasm = WasmHistogram.decode(encoded, 32);
  const histogram = decodeFromCompressedBase64(encodeIntoCompressedBase64(inWasm), 64);
  inWasm.destroy();
  if (!(histogram instanceof JsHistogram)) {
    throw new TypeError("a histogram in JavaScript was asked for");
  }
  return histogram;
}

/** At most so many entries. Where several seconds become one, rates and CPU are means, and the rest is of the worst. */
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
    clientCpuPercent: mean(({ clientCpuPercent }) => clientCpuPercent),
    serverCpuPercent: mean(({ serverCpuPercent }) => serverCpuPercent),
    serverRssBytes: worst(({ serverRssBytes }) => serverRssBytes),
    serverBufferedBytes: worst(({ serverBufferedBytes }) => serverBufferedBytes),
  };
}
