import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { steadinessOf } from "../../../../bench/result/steadiness.ts";

/** Values about a level, with noise of two per cent that is the same every time. */
function about(level: number, count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => level * (1 + 0.02 * Math.sin(12.9898 * (i + from) ** 1.3)));
}

function judge(rate: readonly number[], p50: readonly number[] = rate.map(() => 100)) {
  return steadinessOf(
    rate.map((_, i) => i + 1),
    [
      { figure: "messagesPerSecond", isBetterHigh: true, values: rate },
      { figure: "p50Us", isBetterHigh: false, values: p50 },
    ],
  );
}

describe("a run", () => {
  test("with noise only is steady", () => {
    assert.equal(judge(about(1000, 60)).verdict, "steady");
    assert.equal(judge(about(1000, 10)).verdict, "steady");
  });

  test("that gets faster at first was warming up", () => {
    const { verdict, changedAtSeconds, figure, factor } = judge([...about(700, 5), ...about(1000, 25, 5)]);
    assert.deepEqual([verdict, changedAtSeconds, figure], ["warming-up", 5, "messagesPerSecond"]);
    assert.ok(Math.abs((factor ?? 0) - 1000 / 700) < 0.05);
  });

  test("that gets slower at last was slowing down, by its rate or by its latency", () => {
    assert.equal(judge([...about(1000, 20), ...about(850, 10, 20)]).verdict, "slowing-down");
    const rising = judge(about(1000, 30), [...about(100, 15), ...about(140, 15, 15)]);
    assert.deepEqual([rising.verdict, rising.figure], ["slowing-down", "p50Us"]);
  });

  test("that goes down and up again was unsteady", () => {
    assert.equal(judge([...about(1000, 10), ...about(600, 10), ...about(1000, 10)]).verdict, "unsteady");
  });

  test("with one outlying second is steady, and one of a few seconds is too short to say", () => {
    const values = about(1000, 30);
    values[12] = 500;
    assert.equal(judge(values).verdict, "steady");
    assert.equal(judge(about(1000, 5)).verdict, "too-short");
  });
});
