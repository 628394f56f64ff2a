import assert from "node:assert/strict";
import { test } from "node:test";
import {
  detectable,
  holm,
  meanDifference,
  meanOf,
  neededCount,
  signedRankInterval,
  tInterval,
  tProbability,
} from "../../../../bench/result/interval.ts";

function near(actual: number | undefined, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < tolerance, `${actual} is not ${expected}`);
}

/** Gosset's own example: extra hours of sleep of ten patients (Student 1908; `sleep` in R). */
const sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];

test("the t interval is that of R's t.test", () => {
  const mean = meanOf(sleep);
  assert.ok(mean !== undefined);
  const { center, low, high } = tInterval(mean);
  near(center, 1.58);
  near(low, 0.7001142, 1e-6);
  near(high, 2.4598858, 1e-6);
  near(tProbability(mean), 0.00283289, 1e-7);
});

test("the quantiles of Student's distribution are those of the printed tables", () => {
  const reach = (count: number) => {
    const values = Array.from({ length: count }, (_, index) => index % 2);
    const mean = meanOf(values);
    return mean === undefined ? Number.NaN : (tInterval(mean).high - mean.mean) / mean.standardError;
  };
  near(reach(2), 12.7062047, 1e-6);
  near(reach(3), 4.3026527, 1e-6);
  near(reach(5), 2.7764451, 1e-6);
  near(reach(10), 2.2621572, 1e-6);
  near(reach(31), 2.0422725, 1e-6);
  near(reach(1001), 1.9623391, 1e-6);
});

test("two groups are compared by Welch, as R's t.test does", () => {
  const other = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const difference = meanDifference(other, second);
  assert.ok(difference !== undefined);
  near(difference.degreesOfFreedom, 17.776, 1e-3);
  near(tProbability(difference), 0.07939414, 1e-7);
  const { low, high } = tInterval(difference);
  near(low, -0.2054832, 1e-6);
  near(high, 3.3654832, 1e-6);
});

test("the signed-rank interval is the exact one, and hardly changes with one outlier", () => {
  // For ten values the test rejects sums of ranks up to 8, so the interval begins at the ninth pairwise mean.
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const means = values.flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2));
  means.sort((a, b) => a - b);
  const interval = signedRankInterval(values);
  near(interval?.center, 5.5);
  near(interval?.low, means[8] ?? 0);
  near(interval?.high, means.at(-9) ?? 0);
  const many = Array.from({ length: 20 }, (_, index) => 1 + index / 100);
  const wild = signedRankInterval([...many.slice(0, 19), 1000]);
  assert.ok((wild?.high ?? 1000) < 1.2, "one wild value of twenty does not move the interval far");
  assert.equal(signedRankInterval([1, 2, 3, 4, 5]), undefined, "five values have no interval of 95 %");
  assert.deepEqual(signedRankInterval([1, 2, 3, 4, 5, 6])?.low, 1);
});

test("the exact and the approximate signed-rank interval meet at a hundred values", () => {
  const values = (count: number) =>
    Array.from({ length: count }, (_, index) => ((index * 37) % count) / count);
  const exact = signedRankInterval(values(100));
  const approximate = signedRankInterval(values(101));
  near(exact?.low, approximate?.low ?? 0, 0.005);
  near(exact?.high, approximate?.high ?? 0, 0.005);
});

test("Holm's adjustment is that of R's p.adjust", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((expected, index) => {
    near(adjusted[index], expected);
  });
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  assert.deepEqual(holm([]), []);
});

test("the planned number of differences shows what it was planned for", () => {
  // 7.85 s2 / effect2, and a little more because the variance is not known beforehand.
  const needed = neededCount(0.02 ** 2, 0.02);
  assert.equal(needed, 10);
  assert.ok(detectable(0.02 ** 2, 10) <= 0.02);
  assert.ok(detectable(0.02 ** 2, 9) > 0.02);
  assert.equal(neededCount(0, 0.02), 2);
  assert.equal(neededCount(1, 1e-6), undefined);
});
