import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classOf, concludeGoal, isNarrow, weigh } from "../../../../bench/result/bounds.ts";
import type { Rule, Trial, TrialOutcome } from "../../../../bench/result/search.ts";
import { exampleRule } from "../../../support/search.ts";
import { trialOf } from "../../../support/simulated-rig.ts";

const rule: Rule = { ...exampleRule, min: 1, max: 1000 };

const states = { g: "good", b: "bad", u: "unfit" } as const;

/** Trials at one load, a letter each: good, bad, unfit. */
function trialsAt(load: number, letters: string, durationMs = 2000): Trial[] {
  return [...letters].map((letter) => {
    const state = states[letter as keyof typeof states];
    const cause: TrialOutcome["cause"] = state === "bad" ? "slo" : state === "unfit" ? "generator" : null;
    return trialOf(load, durationMs, [{ state, cause, reason: cause }]);
  });
}

function classAt(letters: string, changes: Partial<Rule> = {}) {
  const [weighed] = weigh(trialsAt(100, letters), 0);
  assert.ok(weighed !== undefined);
  return classOf(weighed, { ...rule, ...changes }, changes.sumMs ?? rule.sumMs);
}

describe("a load", () => {
  test("is a lower bound once bad time can no longer exceed half the sum", () => {
    assert.deepEqual(
      ["g", "ggg", "gggg", "gggb", "gggbb", "gggbbg", "bbbgggg"].map((each) => classAt(each)),
      ["open", "open", "lower", "open", "open", "lower", "lower"],
    );
  });

  test("is an upper bound once bad time has exceeded half the sum", () => {
    assert.deepEqual(
      ["b", "bbb", "bbbb", "gggbbbb"].map((each) => classAt(each)),
      ["open", "open", "upper", "upper"],
    );
  });

  test("takes a stricter share, and a first impression from one trial", () => {
    assert.deepEqual(
      ["ggggg", "gggggg", "gggbggg", "bb"].map((each) => classAt(each, { exceedRatio: 0.15 })),
      ["open", "lower", "lower", "upper"],
    );
    assert.equal(classAt("b", { exceedRatio: 0.1 }), "upper");
    assert.deepEqual(
      ["g", "b", "u", "gb"].map((each) => classAt(each, { sumMs: 2000 })),
      ["lower", "upper", "unfit", "lower"],
    );
  });

  test("is never an upper bound by trials in which the generator was not fit", () => {
    assert.deepEqual(
      ["uuuu", "ubububu", "uuugggg", "uuuuuuuuu", "gggbbbu"].map((each) => classAt(each)),
      ["unfit", "unfit", "lower", "unfit", "unfit"],
    );
  });
});

describe("the conclusion of a goal", () => {
  const conclude = (trials: Trial[], stop: "complete" | "deadline" = "complete") =>
    concludeGoal("p99<5ms", 0, trials, rule, stop);

  test("is the largest lower bound below the smallest upper bound, and the inversion is reported", () => {
    const goal = conclude([
      ...trialsAt(100, "gggg"),
      ...trialsAt(101, "bbbb"),
      ...trialsAt(110, "gggg"),
      ...trialsAt(120, "bbbb"),
    ]);
    assert.deepEqual([goal.verdict, goal.lower, goal.upper, goal.limitedBy], ["found", 100, 101, "slo"]);
    assert.deepEqual(goal.inversions, [{ load: 101, trials: 4, bad: 4, heldAt: 110, isBound: true }]);
  });

  test("reports single failed trials below a load that held, too", () => {
    const goal = conclude([...trialsAt(90, "bgg"), ...trialsAt(100, "gggg"), ...trialsAt(101, "bbbb")]);
    assert.deepEqual(goal.inversions, [{ load: 90, trials: 3, bad: 1, heldAt: 100, isBound: false }]);
  });

  test("is not found while the bounds are too far apart, and no bound by single trials", () => {
    const apart = conclude([...trialsAt(100, "gggg"), ...trialsAt(120, "bbbb")], "deadline");
    assert.deepEqual([apart.verdict, apart.lower, apart.upper], ["deadline", 100, 120]);
    const single = conclude([...trialsAt(100, "g"), ...trialsAt(101, "b")], "deadline");
    assert.deepEqual([single.verdict, single.lower, single.upper], ["deadline", null, null]);
  });

  test("has the middle rate at the lower bound", () => {
    const rates = [70, 98, 99, 100];
    const lower = trialsAt(100, "gggg").map((trial, index) => ({
      ...trial,
      messagesPerSecond: rates[index] ?? null,
    }));
    assert.equal(conclude([...lower, ...trialsAt(101, "bbbb")]).conditional, 99);
  });

  test("is at least the lower bound where the generator was the limit, or the most that was allowed", () => {
    const unfit = conclude([...trialsAt(100, "gggg"), ...trialsAt(101, "uuuu")]);
    assert.deepEqual(
      [unfit.verdict, unfit.lower, unfit.upper, unfit.limitedBy],
      ["at-least", 100, null, "generator"],
    );
    const most = conclude(trialsAt(1000, "gggg"));
    assert.deepEqual([most.verdict, most.lower, most.upper, most.limitedBy], ["at-least", 1000, null, "max"]);
  });

  test("is below the minimum where that fails", () => {
    const goal = conclude(trialsAt(1, "bbbb"));
    assert.deepEqual([goal.verdict, goal.lower, goal.upper, goal.limitedBy], ["below-min", null, 1, "slo"]);
  });
});

test("whole loads are close enough when they are neighbours", () => {
  assert.equal(isNarrow(3, 4, { ...rule, isWhole: true }), true);
  assert.equal(isNarrow(3, 4, rule), false);
  assert.equal(isNarrow(10_000, 10_200, rule), true);
  assert.equal(isNarrow(10_000, 10_210, rule), false);
});
