import assert from "node:assert/strict";
import { test } from "node:test";
import { JsHistogram } from "hdr-histogram-js";
import { countUpTo, resample, sparseOf } from "../../../../bench/result/bootstrap.ts";
import { histogramOf } from "../../../support/result.ts";

function sparse(latenciesUs: readonly number[]) {
  const { histogram } = histogramOf(latenciesUs);
  assert.ok(histogram instanceof JsHistogram);
  return sparseOf(histogram);
}

/** Exponential latencies with a mean of 100 us, from a generator of their own. */
function exponential(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return -100 * Math.log((state + 1) / 2 ** 31);
  });
}

test("the interval of a percentile contains it, and narrows as the run grows", () => {
  const spansOf = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ histogram: sparse(exponential(2000, i + 1)), replies: 2000 }));
  const [short, long] = [spansOf(8), spansOf(64)].map((spans) => resample(spans, [50, 99])?.percentiles);
  const truth = [100 * Math.log(2) * 1000, 100 * Math.log(100) * 1000];
  for (const [i, value] of truth.entries()) {
    const { low = 0, high = 0 } = long?.[i] ?? {};
    assert.ok(low < value * 1.01 && value * 0.99 < high, `${low} to ${high} for ${value}`);
    const before = short?.[i];
    assert.ok(high - low < (before?.high ?? 0) - (before?.low ?? 0));
  }
});

test("the same spans have the same interval, every time", () => {
  const spans = Array.from({ length: 10 }, (_, i) => ({
    histogram: sparse(exponential(500, i + 7)),
    replies: 400 + 20 * i,
  }));
  assert.deepEqual(resample(spans, [50]), resample(spans, [50]));
});

test("a percentile with too few messages beyond it, or of too few spans, has no interval", () => {
  const span = { histogram: sparse(exponential(100, 3)), replies: 100 };
  assert.equal(resample([span, span, span, span], [50]), undefined);
  const [median, tail] =
    resample(
      Array.from({ length: 6 }, () => span),
      [50, 99.9],
    )?.percentiles ?? [];
  assert.notEqual(median, null);
  assert.equal(tail, null);
});

test("a histogram counts the values at or below a value", () => {
  const histogram = sparse([1, 2, 3, 40, 500]);
  assert.equal(countUpTo(histogram, 3100), 3);
  assert.equal(countUpTo(histogram, 1e9), 5);
  assert.equal(countUpTo(histogram, 0), 0);
});
