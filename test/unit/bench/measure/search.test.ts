import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { afterwardsMs, type Found, type SearchOptions, search } from "../../../../bench/measure/search.ts";
import { isNarrow } from "../../../../bench/result/bounds.ts";
import type { Goal, Rule, Trial } from "../../../../bench/result/search.ts";
import { exampleRule } from "../../../support/search.ts";
import { SimulatedRig, type Simulation } from "../../../support/simulated-rig.ts";

const rule: Rule = { ...exampleRule, max: 100_000_000 };

interface Simulated {
  readonly found: Found;
  readonly first: Goal;
  readonly tookMs: number;
}

async function simulate(
  simulation: Simulation,
  changes: Partial<Omit<SearchOptions, "rule">> & { readonly rule?: Partial<Rule> } = {},
): Promise<Simulated> {
  const rig = new SimulatedRig(simulation);
  const load = 1.05 * (simulation.capacities[0] ?? 0);
  const found = await search(
    {
      slos: simulation.capacities.map((_, index) => `p99<${index + 1}ms`),
      start: { load, step: 0.04 },
      settleMs: 1000,
      confirmMs: 5000,
      endMs: 600_000,
      ...changes,
      rule: { ...rule, ...changes.rule },
    },
    rig,
  );
  const [first] = found.goals;
  assert.ok(first !== undefined);
  return { found, first, tookMs: rig.nowMs() };
}

/** Searches of a hundred targets of different capacity, with the same noise. */
async function simulateHundred(simulation: Omit<Simulation, "capacities">, guess = 1.05) {
  const all = [];
  for (let seed = 1; seed <= 100; seed += 1) {
    const capacity = 3000 + seed * 137.7;
    const start = { load: guess * capacity, step: 0.04 };
    const { first, tookMs, found } = await simulate(
      { ...simulation, capacities: [capacity], seed },
      { start },
    );
    all.push({ share: (first.lower ?? 0) / capacity, first, tookMs, found });
  }
  return all;
}

describe("a hundred searches", () => {
  test("of targets without noise find each capacity within the width, from a good guess and from a bad one", async () => {
    for (const guess of [0.1, 1.05, 3]) {
      for (const { first, share, found } of await simulateHundred({}, guess)) {
        assert.equal(first.verdict, "found");
        assert.ok(share <= 1 && share > 1 / 1.0201, `${share} of the capacity, from ${guess}`);
        assert.deepEqual([first.inversions, found.stop], [[], "complete"]);
      }
    }
  });

  test("from a good guess take less than 75 s of the target's time, with all that comes after", async () => {
    const times = (await simulateHundred({})).map(({ tookMs }) => tookMs);
    assert.ok(Math.max(...times) < 75_000, String(Math.max(...times)));
  });

  test("of targets whose capacity varies by 1 % land within 5 %", async () => {
    for (const { first, share } of await simulateHundred({ noise: 0.01 })) {
      assert.equal(first.verdict, "found");
      assert.ok(Math.abs(share - 1) < 0.05, String(share));
    }
  });

  test("of targets that stall in one trial of ten land within 5 %, and report what was inverted", async () => {
    const all = await simulateHundred({ stalls: 0.1 });
    assert.deepEqual(
      all.filter(({ share }) => Math.abs(share - 1) > 0.05),
      [],
    );
    const inverted = all.flatMap(({ first }) => first.inversions);
    assert.ok(inverted.length > 5, String(inverted.length));
    assert.ok(inverted.every(({ load, heldAt, bad, trials }) => load < heldAt && bad > 0 && bad <= trials));
  });

  test("of targets that stall in three trials of ten mostly still do, where single trials would not", async () => {
    const all = await simulateHundred({ stalls: 0.3 });
    const within = all.filter(({ share }) => Math.abs(share - 1) <= 0.05);
    assert.ok(within.length >= 85, String(within.length));
    assert.ok(all.some(({ first }) => first.inversions.length > 0));
  });
});

describe("a search", () => {
  test("reaches twice the capacity where the service takes half the time", async () => {
    const slow = await simulate({ capacities: [10_000], noise: 0.002 });
    const fast = await simulate({ capacities: [20_000], noise: 0.002 });
    const ratio = (fast.first.lower ?? 0) / (slow.first.lower ?? 1);
    assert.ok(Math.abs(ratio - 2) < 0.06, String(ratio));
  });

  test("decides both bounds by enough trials, and confirms the lower one by a longer one", async () => {
    const { found, first } = await simulate({ capacities: [10_000] });
    const at = (load: number | null): Trial[] => found.trials.filter((trial) => trial.load === load);
    assert.ok(isNarrow(first.lower ?? 0, first.upper ?? 0, rule), `${first.lower} to ${first.upper}`);
    assert.equal(at(first.lower).length, 4); // 8 s of at most 14 s are good, so at most 6 s can be bad.
    assert.equal(at(first.upper).length, 4);
    assert.equal(first.limitedBy, "slo");
    assert.equal(first.conditional, first.lower);
    assert.deepEqual(
      found.confirm.map(({ goal, trial }) => [goal, trial.load, trial.durationMs]),
      [[0, first.lower, 5000]],
    );
    const shares = found.latencies.map(({ share, trial }) => [share, trial.load / (first.lower ?? 1)]);
    assert.deepEqual(shares, [
      [0.1, 0.1],
      [0.5, 0.5],
      [0.9, 0.9],
    ]);
  });

  test("answers several goals by the same trials", async () => {
    const capacities = [8000, 10_000, 9900];
    const { found } = await simulate({ capacities });
    found.goals.forEach(({ lower, upper, verdict }, index) => {
      assert.equal(verdict, "found");
      assert.ok((lower ?? 0) <= (capacities[index] ?? 0) && (upper ?? 0) > (capacities[index] ?? 0));
    });
    const alone = await Promise.all(capacities.map((capacity) => simulate({ capacities: [capacity] })));
    const apart = alone.reduce((sum, { found: { trials } }) => sum + trials.length, 0);
    assert.ok(found.trials.length < apart, `${found.trials.length} of ${apart}`);
  });

  test("finds whole numbers of connections that differ by one", async () => {
    for (const capacity of [1, 2, 7, 30, 333]) {
      const { first } = await simulate(
        { capacities: [capacity] },
        { rule: { isWhole: true, min: 1, max: 100_000 }, start: { load: 64, step: Math.LN2 } },
      );
      assert.equal(first.verdict, "found");
      assert.ok(
        (first.lower ?? 0) <= capacity && capacity < (first.upper ?? 0),
        `${first.lower} to ${first.upper}`,
      );
      assert.ok(Number.isInteger(first.lower) && Number.isInteger(first.upper));
      assert.ok(isNarrow(first.lower ?? 0, first.upper ?? 0, { ...rule, isWhole: true }));
    }
  });

  test("says at least when the generator is not fit for more, and never makes that an upper bound", async () => {
    const { first, found } = await simulate({ capacities: [50_000], generatorLimit: 10_000 });
    assert.deepEqual([first.verdict, first.limitedBy], ["at-least", "generator"]);
    assert.equal(first.upper, null);
    assert.ok(Math.abs((first.lower ?? 0) / 50_000 - 1) < 0.03, String(first.lower));
    assert.ok(found.trials.some(({ outcomes }) => outcomes[0]?.state === "unfit"));
  });

  test("ends when the generator is not fit in trial after trial, however small the load", async () => {
    const { first, found } = await simulate(
      { capacities: [10], generatorLimit: 1 },
      { start: { load: 1_000_000, step: 0.04 } },
    );
    assert.deepEqual([first.verdict, first.limitedBy, found.stop], ["deadline", "generator", "generator"]);
    assert.deepEqual([first.lower, first.upper, found.trials.length], [null, null, 12]);
  });

  test("says at least when the largest load that was allowed holds", async () => {
    const { first } = await simulate({ capacities: [50_000] }, { rule: { max: 20_000 } });
    assert.deepEqual(
      [first.verdict, first.lower, first.upper, first.limitedBy],
      ["at-least", 20_000, null, "max"],
    );
  });

  test("says so when not even the smallest load holds", async () => {
    const { first, found } = await simulate({ capacities: [50] }, { start: { load: 10_000, step: 0.04 } });
    assert.deepEqual(
      [first.verdict, first.lower, first.upper, first.limitedBy],
      ["below-min", null, 100, "slo"],
    );
    assert.deepEqual([found.confirm, found.latencies], [[], []]);
  });

  test("keeps the results so far when the time is over, and never exceeds it", async () => {
    const { first, found, tookMs } = await simulate({ capacities: [10_000] }, { endMs: 45_000 });
    assert.deepEqual([first.verdict, first.limitedBy, found.stop], ["deadline", "deadline", "deadline"]);
    assert.ok(tookMs <= 45_000, String(tookMs));
    const known = { slos: [""], rule, settleMs: 1000, confirmMs: 5000 };
    assert.ok(tookMs > 45_000 - afterwardsMs(known) - 4000, String(tookMs));
  });

  test("keeps the results so far when interrupted", async () => {
    const { first, found } = await simulate({ capacities: [10_000], interruptedAtTrial: 6 });
    assert.deepEqual(
      [first.verdict, first.limitedBy, found.stop],
      ["deadline", "interrupted", "interrupted"],
    );
    assert.deepEqual([found.trials.length, found.confirm.length], [5, 0]);
  });

  test("ends when nothing can be measured any more, instead of calling that a limit", async () => {
    const { first, found } = await simulate({ capacities: [10_000], diesAtTrial: 4 });
    assert.deepEqual(
      [first.verdict, first.limitedBy, found.stop],
      ["deadline", "target-gone", "target-gone"],
    );
    assert.equal(found.trials.length, 6);
  });
});
