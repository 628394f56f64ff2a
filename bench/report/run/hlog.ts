// Reports a Result as .hlog, HdrHistogram's log of intervals. Values are in nanoseconds, the highest of each line in milliseconds.

import { type Histogram, HistogramLogWriter, JsHistogram } from "hdr-histogram-js";
import { packageVersion } from "../../../src/lib/package.ts";
import { decodeHistogram, encodeHistogram } from "../../result/histogram.ts";
import type { Result } from "../../result/schema.ts";

const nsPerMs = 1e6;
/** Minimum length of an interval, because readers divide by it. */
const shortestSeconds = 0.001;

interface Interval {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  readonly histogram: Histogram;
}

/** Writes a line for each span of the window; for service time, which spans do not store, one line for the window. */
export function formatHlog(result: Result, which: "latency" | "service" = "latency"): string {
  const { window, histograms } = result;
  let text = "";
  const writer = new HistogramLogWriter((line) => {
    text += line;
  });
  const startedMs = Date.parse(window.startedAt);
  writer.outputComment(`[Logged with uws-echo-bench ${packageVersion()}]`);
  writer.outputLogFormatVersion();
  // The library's own start line is followed by an empty one, which some readers reject.
  const startedSeconds = (startedMs / 1000).toFixed(3);
  writer.outputComment(
    `[StartTime: ${startedSeconds} (seconds since epoch), ${new Date(startedMs).toUTCString()}]`,
  );
  writer.outputLegend();
  const intervals = which === "latency" ? intervalsOf(result) : [wholeOf(result, which)];
  for (const { fromSeconds, untilSeconds, histogram } of intervals) {
    const unitsPerMs = nsPerMs / histograms[which].unitNs;
    writer.outputIntervalHistogram(histogram, fromSeconds, untilSeconds, unitsPerMs);
  }
  return text;
}

function wholeOf({ window, histograms }: Result, which: "latency" | "service"): Interval {
  const { histogram } = decodeHistogram(histograms[which]);
  return { fromSeconds: 0, untilSeconds: window.seconds, histogram };
}

/** Intervals that together contain every latency of the Result. */
function intervalsOf(result: Result): Interval[] {
  const { spans, window } = result;
  if (spans === null || spans.entries.length === 0) {
    return [wholeOf(result, "latency")];
  }
  const { seconds, startSeconds, entries } = spans;
  const intervals = entries.map(({ latency }, index) => ({
    fromSeconds: startSeconds + index * seconds,
    untilSeconds: startSeconds + (index + 1) * seconds,
    histogram: decodeHistogram(latency).histogram,
  }));
  const rest = restOf(result, intervals);
  const fromSeconds = intervals.at(-1)?.untilSeconds ?? 0;
  const untilSeconds = Math.max(window.seconds, fromSeconds + shortestSeconds);
  return rest.totalCount === 0 ? intervals : [...intervals, { fromSeconds, untilSeconds, histogram: rest }];
}

/** The latencies outside all spans: of later replies and unsent messages. */
function restOf({ histograms }: Result, intervals: readonly Interval[]): Histogram {
  const { histogram, unitNs } = decodeHistogram(histograms.latency);
  for (const interval of intervals) {
    if (histogram instanceof JsHistogram && interval.histogram instanceof JsHistogram) {
      histogram.subtract(interval.histogram);
    }
  }
  // Subtraction leaves a stale maximum: encode and decode to recompute it.
  return decodeHistogram(encodeHistogram(histogram, unitNs)).histogram;
}
