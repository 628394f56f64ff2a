import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plot } from "../../../../../bench/report/frame/page.ts";
import { pageOfResults } from "../../../../../bench/report/run/page.ts";
import type { Result } from "../../../../../bench/result/schema.ts";
import { exampleResult } from "../../../../support/result.ts";

function withIntervals(p99Us: number, low: number, high: number): Result {
  return exampleResult((result) => {
    if (result.summary.latencyUs !== null) {
      result.summary.latencyUs.p99 = p99Us;
    }
    const interval = { low, high };
    const latencyUs = { p50: null, p99: interval, p999: null };
    const messagesPerSecond = { low: 99_000, high: 101_000 };
    result.intervals = { resamples: 500, seed: 1, spans: 10, spanSeconds: 1, messagesPerSecond, latencyUs };
  });
}

function deltasOf(...results: Result[]) {
  return pageOfResults(results).subjects.map(
    ({ tiles }) => tiles.find(({ label }) => label === "Latency p99")?.delta,
  );
}

test("a difference to the first measurement is better or worse only where the intervals are apart", () => {
  assert.deepEqual(
    deltasOf(withIntervals(100, 90, 110), withIntervals(50, 45, 55), withIntervals(200, 190, 210)),
    [undefined, { text: "−50.0 %", tone: "good" }, { text: "+100.0 %", tone: "bad" }],
  );
  assert.equal(deltasOf(withIntervals(100, 90, 110), withIntervals(105, 95, 115))[1]?.tone, "plain");
  assert.equal(deltasOf(exampleResult(), exampleResult())[1]?.tone, "plain", "intervals that are not known");
});

test("a last second that is shorter than the others is in no plot", () => {
  const endsOf = (...ends: number[]): readonly number[] => {
    const [second] = exampleResult().series;
    assert.ok(second !== undefined);
    const result = exampleResult((changed) => {
      changed.series = ends.map((endSeconds) => ({ ...second, endSeconds }));
    });
    const parts = pageOfResults([result]).sections.flatMap((section) => section.parts);
    const rate = parts.find((part): part is Plot => part.type === "plot" && part.title === "Rate over time");
    return rate?.lines[0]?.x ?? [];
  };
  assert.deepEqual(endsOf(1, 2, 2.5), [1, 2]);
  assert.deepEqual(endsOf(1, 2, 2.999), [1, 2, 2.999]);
  assert.deepEqual(endsOf(2, 4, 5), [2, 4], "of a folded series");
  assert.deepEqual(endsOf(0.5), [0.5]);
});

test("the head shows the headline figures, with intervals where they are known", () => {
  const [subject] = pageOfResults([withIntervals(100, 90, 110)]).subjects;
  assert.deepEqual(subject?.tiles.slice(0, 3), [
    { label: "Messages/s", value: "100,000", note: "95 %: 99,000 to 101,000" },
    { label: "Latency p50", value: subject?.tiles[1]?.value },
    { label: "Latency p99", value: "100 us", note: "95 %: 90.0 us to 110 us" },
  ]);
  assert.match(subject?.badge?.meaning ?? "", /the target was the bottleneck/);
});
