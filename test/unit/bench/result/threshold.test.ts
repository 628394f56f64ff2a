import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHistogram } from "../../../../bench/result/histogram.ts";
import {
  bytes,
  evaluateThresholds,
  evaluateThresholdsOf,
  formatActual,
  metricsOf,
  parseThreshold,
  parseThresholdOf,
} from "../../../../bench/result/threshold.ts";
import { exampleResult, histogramOf } from "../../../support/result.ts";

function judge(expression: string) {
  const [judged] = evaluateThresholds([parseThreshold(expression)], exampleResult());
  return judged;
}

test("a threshold compares a figure of the Result, with times in any unit", () => {
  const { summary } = exampleResult();
  assert.deepEqual(judge("p99<1s"), {
    expression: "p99<1s",
    actual: summary.latencyUs?.p99,
    unit: "us",
    passed: true,
  });
  assert.deepEqual(judge("rate > 100k"), {
    expression: "rate > 100k",
    actual: 100_000,
    unit: null,
    passed: false,
  });
  assert.equal(judge("rate>=100k")?.passed, true);
  assert.equal(judge("lost==0")?.passed, true);
  assert.equal(judge("lost!=0")?.passed, false);
  assert.equal(judge("service.max<=1us")?.passed, false);
  assert.equal(judge("server.cpu>=90")?.passed, true);
});

test("within is the share of all due messages that were answered in time, the others failed", () => {
  const latency = histogramOf([1000, 2000, 3000, 40_000, 4000]);
  const unsent = histogramOf([4000]);
  const result = exampleResult((changed) => {
    Object.assign(changed.messages, { due: 10, sent: 9, unsent: 1, received: 4, lost: 5 });
    changed.histograms = {
      latency: encodeHistogram(latency.histogram, 1),
      service: encodeHistogram(latency.histogram, 1),
      unsent: encodeHistogram(unsent.histogram, 1),
    };
  });
  const [judged] = evaluateThresholds([parseThreshold("within(5ms)>=99.9%")], result);
  assert.deepEqual(judged, { expression: "within(5ms)>=99.9%", actual: 30, unit: "percent", passed: false });
  assert.equal(evaluateThresholds([parseThreshold("within(5ms) >= 30%")], result)[0]?.passed, true);
  assert.throws(() => parseThreshold("within(5)>=99%"), /give it a unit/);
});

test("an unknown figure does not pass", () => {
  assert.deepEqual(judge("lag<1ms"), { expression: "lag<1ms", actual: null, unit: "us", passed: false });
});

test("the value of a metric is shown in its unit", () => {
  const told = (expression: string) => formatActual(judge(expression) ?? { actual: null, unit: null });
  assert.equal(told("rate>1"), "100,000");
  assert.equal(told("bytes>1"), "6.1 MiB");
  assert.equal(told("server.cpu>1"), "99.0 %");
  assert.equal(told("server.rss>1"), "57.2 MiB");
  assert.equal(told("max<1s"), "200 us");
  assert.equal(told("lag<1s"), "unknown");
});

test("text that is not a threshold is refused with the allowed forms", () => {
  for (const expression of ["", "p99", "p98<5ms", "p99=5ms", "p99<", "rate>fast", "<5ms"]) {
    assert.throws(() => parseThreshold(expression), /write a metric|is not a number/, expression);
  }
  assert.throws(() => parseThreshold("p99<5"), /give it a unit, as in 5ms/);
});

test("each kind of document has its own figures, and bytes may have a unit", () => {
  const metrics = metricsOf({ each: bytes((measured: { each: number }) => measured.each) });
  const threshold = parseThresholdOf(metrics, "each<=1.5KiB");
  assert.equal(threshold.value, 1536);
  assert.deepEqual(evaluateThresholdsOf(metrics, [threshold], { each: 1537 }), [
    { expression: "each<=1.5KiB", actual: 1537, unit: "bytes", passed: false },
  ]);
  assert.throws(() => parseThresholdOf(metrics, "p99<5ms"), /write a metric \(each\)/);
});
