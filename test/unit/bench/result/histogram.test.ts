import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { build, initWebAssemblySync } from "hdr-histogram-js";
import {
  addHistograms,
  decodeHistogram,
  encodeHistogram,
  type LatencyHistogram,
  latencyOf,
} from "../../../../bench/result/histogram.ts";
import { histogramOf } from "../../../support/result.ts";

const latenciesUs = fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 100 });

/** The value that at least `percent` of the sorted values do not exceed, by counting. */
function naivePercentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length - 1e-9));
  return sorted[rank - 1] ?? Number.NaN;
}

function assertWithin(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 0.001 * expected + 0.001, `${what}: ${actual}, not ${expected}`);
}

test("percentiles agree with a naive count within the histogram's 0.1 %", () => {
  fc.assert(
    fc.property(latenciesUs, (values) => {
      const latency = latencyOf(histogramOf(values));
      assert.ok(latency !== null);
      assertWithin(latency.min, Math.min(...values), "min");
      assertWithin(latency.p50, naivePercentile(values, 50), "p50");
      assertWithin(latency.p90, naivePercentile(values, 90), "p90");
      assertWithin(latency.p99, naivePercentile(values, 99), "p99");
      assertWithin(latency.p9999, naivePercentile(values, 99.99), "p9999");
      assertWithin(latency.max, Math.max(...values), "max");
      assertWithin(latency.mean, values.reduce((a, b) => a + b) / values.length, "mean");
      assert.ok(latency.p9999 <= latency.max && latency.min <= latency.mean && latency.mean <= latency.max);
    }),
  );
});

test("encoding and decoding keeps every count", () => {
  fc.assert(
    fc.property(latenciesUs, (values) => {
      const encoded = encodeHistogram(histogramOf(values).histogram, 1);
      const decoded = decodeHistogram(encoded);
      assert.equal(decoded.histogram.totalCount, values.length);
      assert.deepEqual(encodeHistogram(decoded.histogram, 1).data, encoded.data);
    }),
  );
});

test("a histogram recorded in WebAssembly is read like any other", () => {
  initWebAssemblySync();
  const histogram = build({ useWebAssembly: true, numberOfSignificantValueDigits: 3 });
  for (let us = 1; us <= 1000; us += 1) {
    histogram.recordValue(us * 1000);
  }
  const latency = latencyOf(decodeHistogram(encodeHistogram(histogram, 1)));
  histogram.destroy();
  assert.ok(latency !== null);
  assertWithin(latency.p50, 500, "p50");
  assertWithin(latency.max, 1000, "max");
});

/** Every bucket with its count. Decoded first, since a histogram that recorded knows its maximum more exactly. */
function everyBucket({ histogram }: LatencyHistogram): string {
  return decodeHistogram(encodeHistogram(histogram, 1)).histogram.outputPercentileDistribution(20);
}

test("the sum of histograms is the histogram of all values", () => {
  fc.assert(
    fc.property(fc.array(latenciesUs, { minLength: 1, maxLength: 5 }), (parts) => {
      const sum = addHistograms(parts.map(histogramOf));
      assert.equal(everyBucket(sum), everyBucket(histogramOf(parts.flat())));
    }),
    { numRuns: 20 },
  );
});

test("histograms in different units are not added", () => {
  const inNs = histogramOf([1]);
  assert.throws(() => addHistograms([inNs, { ...inNs, unitNs: 100 }]), /units of 1 ns and 100 ns/);
});

test("nothing recorded means no figures, and a recorded 0 is the minimum", () => {
  assert.equal(latencyOf(histogramOf([])), null);
  assert.equal(latencyOf(histogramOf([0, 7]))?.min, 0);
});
