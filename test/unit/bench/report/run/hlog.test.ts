import assert from "node:assert/strict";
import { test } from "node:test";
import { build, type Histogram, HistogramLogReader } from "hdr-histogram-js";
import { formatHlog } from "../../../../../bench/report/run/hlog.ts";
import { decodeHistogram, encodeHistogram } from "../../../../../bench/result/histogram.ts";
import { exampleResult, histogramOf } from "../../../../support/result.ts";

/** Parses as HdrHistogram's own reader does. */
function readLog(log: string): Histogram[] {
  const reader = new HistogramLogReader(log, 64);
  const intervals: Histogram[] = [];
  for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram()) {
    intervals.push(next);
  }
  return intervals;
}

const encoded = (latenciesUs: readonly number[]) => encodeHistogram(histogramOf(latenciesUs).histogram, 1);

const spanned = exampleResult((result) => {
  result.histograms.latency = encoded([10, 20, 30, 40, 5000]);
  result.histograms.service = encoded([1, 2]);
  result.spans = {
    seconds: 1,
    startSeconds: 0,
    entries: [
      { replies: 2, latency: encoded([10, 20]) },
      { replies: 2, latency: encoded([30, 40]) },
    ],
  };
});

test("the log has an interval for each span, and a last one with later replies", () => {
  const intervals = readLog(formatHlog(spanned));
  const startedMs = Date.parse(spanned.window.startedAt);
  assert.deepEqual(
    intervals.map(({ startTimeStampMsec, totalCount }) => [startTimeStampMsec - startedMs, totalCount]),
    [
      [0, 2],
      [1000, 2],
      [2000, 1],
    ],
  );
  assert.ok(Math.abs((intervals[2]?.maxValue ?? 0) / 5e6 - 1) < 0.001);
});

test("all intervals together are the histogram of the Result", () => {
  const sum = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3 });
  for (const interval of readLog(formatHlog(spanned))) {
    sum.add(interval);
  }
  const whole = decodeHistogram(spanned.histograms.latency).histogram;
  for (const percentile of [0, 10, 50, 90, 100]) {
    assert.equal(sum.getValueAtPercentile(percentile), whole.getValueAtPercentile(percentile));
  }
  assert.equal(sum.totalCount, 5);
});

test("without spans, and for service time, there is one interval: the window", () => {
  const ofWindow = readLog(formatHlog(exampleResult()));
  assert.deepEqual(
    ofWindow.map(({ startTimeStampMsec, endTimeStampMsec }) => endTimeStampMsec - startTimeStampMsec),
    [2000],
  );
  assert.deepEqual(
    readLog(formatHlog(spanned, "service")).map(({ totalCount }) => totalCount),
    [2],
  );
});

test("the log is a header of comments, a legend, and lines of four fields", () => {
  const lines = formatHlog(spanned).trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^#\[Logged with uws-echo-bench /);
  assert.equal(lines[1], "#[Histogram log format version 1.3]");
  assert.match(lines[2] ?? "", /^#\[StartTime: \d+\.\d{3} \(seconds since epoch\), /);
  assert.equal(lines[3], '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"');
  for (const line of lines.slice(4)) {
    assert.match(line, /^ *\d+\.\d{3}, *\d+\.\d{3}, *\d+\.\d{3},HISTFAA/);
  }
});
