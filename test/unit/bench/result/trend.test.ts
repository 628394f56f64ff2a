import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interceptOf, mannKendall, theilSen } from "../../../../bench/result/trend.ts";
import { normalOf } from "../../../support/comparison.ts";

const pointsOf = (values: readonly number[]) => values.map((y, x) => ({ x, y }));

describe("theilSen", () => {
  it("finds a straight line exactly, with an interval of no width", () => {
    const slope = theilSen([1000, 2000, 5000, 10_000].map((x) => ({ x, y: 70_000_000 + 1024 * x })));
    assert.equal(slope?.center, 1024);
    assert.equal(slope?.low, 1024);
    assert.equal(slope?.high, 1024);
  });

  it("gives what scipy.stats.theilslopes gives", () => {
    const slope = theilSen([1.26, 1.27, 1.12, 1.16, 1.03].map((y, i) => ({ x: i + 1, y })));
    assert.ok(Math.abs((slope?.center ?? 0) + 0.05625) < 1e-9);
    assert.ok(Math.abs((slope?.low ?? 0) + 0.15) < 1e-9);
    assert.ok(Math.abs((slope?.high ?? 0) - 0.04) < 1e-9);
  });

  it("stays in place with one outlier among nine values", () => {
    const slope = theilSen(pointsOf([0, 10, 20, 30, 4000, 50, 60, 70, 80]));
    assert.equal(slope?.center, 10);
  });

  it("reports how rarely the interval of four points covers the true slope", () => {
    assert.ok(Math.abs((theilSen(pointsOf([1, 5, 3, 9]))?.confidence ?? 0) - 22 / 24) < 1e-9);
  });

  it("has no slope for fewer than four different places", () => {
    assert.equal(theilSen(pointsOf([1, 2, 3])), undefined);
    assert.equal(theilSen([1, 1, 2, 2, 3].map((x) => ({ x, y: x }))), undefined);
  });

  for (const count of [5, 8, 20, 60]) {
    it(`covers the true slope of ${count} noisy points as often as it says`, () => {
      const noise = normalOf(count);
      const slopes = Array.from({ length: 400 }, () =>
        theilSen(pointsOf(Array.from({ length: count }, (_, x) => 3 * x + noise()))),
      ).filter((slope) => slope !== undefined);
      const share = slopes.filter(({ low, high }) => low <= 3 && 3 <= high).length / slopes.length;
      assert.ok(Math.abs(share - (slopes[0]?.confidence ?? 0)) < 0.03, `covered ${share}`);
    });
  }
});

describe("interceptOf", () => {
  it("is where the line starts", () => {
    assert.equal(interceptOf(pointsOf([7, 9, 11, 99, 15]), 2), 7);
  });
});

describe("mannKendall", () => {
  it("counts pairs that rise less pairs that fall", () => {
    assert.equal(mannKendall([1, 2, 3, 4]).score, 6);
    assert.equal(mannKendall([4, 3, 2, 1]).score, -6);
    assert.equal(mannKendall([1, 3, 2, 4]).score, 4);
  });

  it("is exact for few values without equal ones", () => {
    assert.ok(Math.abs(mannKendall([1, 2, 3, 4]).risingProbability - 1 / 24) < 1e-12);
    const { risingProbability } = mannKendall([1, 3, 2, 4, 6, 5, 7, 9, 8, 10]);
    // scipy.stats.kendalltau, exact, against the alternative "greater".
    assert.ok(Math.abs(risingProbability / 5.759479717813051e-5 - 1) < 1e-9);
  });

  it("sees no trend in equal values", () => {
    assert.deepEqual(mannKendall([5, 5, 5, 5, 5]), { score: 0, risingProbability: 1 });
  });

  it("alarms on 5 in 100 series without a trend at 5 in 100, also with equal values", () => {
    const noise = normalOf(3);
    const rounds = 1000;
    const alarms = Array.from({ length: rounds }, () =>
      mannKendall(Array.from({ length: 20 }, () => Math.round(2 * noise()))),
    ).filter(({ risingProbability }) => risingProbability < 0.05).length;
    assert.ok(alarms > 0.02 * rounds && alarms < 0.07 * rounds, `${alarms} of ${rounds}`);
  });
});
