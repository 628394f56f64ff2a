// Monte Carlo: how often comparisons are right and wrong, by the product's own rule, on simulated processes. Seeded.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contrast, Finding } from "../../../../bench/result/comparison.ts";
import { contrast, contrastOf } from "../../../../bench/result/contrast.ts";
import { signedRankInterval } from "../../../../bench/result/interval.ts";
import { allFigures, normalOf, samplesOf } from "../../../support/comparison.ts";

/** Standard deviation of one process around its arm. */
const noise = 0.02;
const margin = 0.02;

interface World {
  readonly rounds: number;
  /** Of the second arm, as a share. */
  readonly effect: number;
  readonly comparisons: number;
  /** Share of processes that take half as much again. */
  readonly outliers?: number;
}

function simulate({ rounds, effect, comparisons, outliers = 0 }: World): Contrast[] {
  const normal = normalOf(rounds + 1000 * effect);
  return Array.from({ length: comparisons }, () => {
    const samples = samplesOf(rounds, ({ arm }) => {
      const isOutlier = outliers > 0 && Math.abs(normal()) < outliers * 1.2533;
      const log = noise * normal() + arm * Math.log1p(effect) + (isOutlier ? Math.log(1.5) : 0);
      return { ...allFigures(null), serverCpuPerMessage: 4 * Math.exp(log) };
    });
    return contrastOf({ samples, arm: 1, isPaired: true, margin }, "serverCpuPerMessage");
  });
}

function share(contrasts: readonly Contrast[], ...wanted: readonly Finding[]): number {
  return contrasts.filter(({ finding }) => wanted.includes(finding)).length / contrasts.length;
}

test("two equal targets are found different in at most 5 % of comparisons, at any number of rounds", () => {
  for (const [rounds, comparisons] of [
    [5, 2000],
    [20, 800],
    [50, 300],
  ] as const) {
    const wrong = share(simulate({ rounds, effect: 0, comparisons }), "higher", "lower");
    assert.ok(wrong <= 0.05, `${100 * wrong} % at ${rounds} rounds`);
  }
});

test("intervals hold the true ratio in 95 % of comparisons", () => {
  for (const effect of [0, 0.05]) {
    const contrasts = simulate({ rounds: 8, effect, comparisons: 2000 });
    const held = contrasts.filter(({ low, high }) => (low ?? 0) <= 1 + effect && (high ?? 0) >= 1 + effect);
    const held95 = held.length / contrasts.length;
    assert.ok(Math.abs(held95 - 0.95) < 0.015, `${100 * held95} % with an effect of ${100 * effect} %`);
  }
});

test("a difference of 5 % is found in nine comparisons of ten at six rounds, and more often with more", () => {
  const found = [3, 6, 12, 20].map((rounds) =>
    share(simulate({ rounds, effect: 0.05, comparisons: 500 }), "higher"),
  );
  assert.ok((found[1] ?? 0) >= 0.9, `${found.join(", ")}`);
  assert.deepEqual(
    found.toSorted((a, b) => a - b),
    found,
    "more rounds find more",
  );
  assert.equal(found.at(-1), 1);
});

test("equal targets are shown to be equivalent, with enough rounds", () => {
  assert.ok(share(simulate({ rounds: 20, effect: 0, comparisons: 400 }), "equivalent") > 0.9);
});

test("a comparison finds its detectable difference four times in five", () => {
  const contrasts = simulate({ rounds: 10, effect: 0, comparisons: 300 });
  const detectable = contrasts.map((found) => found.detectable ?? 0).sort((a, b) => a - b)[150] ?? 0;
  const found = share(
    simulate({ rounds: 10, effect: detectable - 1, comparisons: 1000 }),
    "higher",
    "equivalent",
  );
  assert.ok(found > 0.72 && found < 0.9, `${100 * found} %, planned 80 %`);
});

test("with one wild process in twenty the ranks still find 10 % in nine comparisons of ten", () => {
  const contrasts = simulate({ rounds: 20, effect: 0.1, comparisons: 200, outliers: 0.05 });
  const byRanks = contrasts.filter(({ rank }) => (rank?.low ?? 0) > 1).length / contrasts.length;
  assert.ok(byRanks >= 0.9, `${100 * byRanks} %`);
});

test("the signed-rank interval holds the true value in at least 95 % of samples", () => {
  const normal = normalOf(3);
  let held = 0;
  for (let sample = 0; sample < 2000; sample += 1) {
    const interval = signedRankInterval(Array.from({ length: 12 }, normal));
    held += (interval?.low ?? 1) <= 0 && (interval?.high ?? -1) >= 0 ? 1 : 0;
  }
  assert.ok(held / 2000 > 0.94, `${held / 20} %`);
});

test("among five figures of two equal targets, the four that are not primary raise hardly a false finding", () => {
  const normal = normalOf(11);
  let wrong = 0;
  for (let comparison = 0; comparison < 600; comparison += 1) {
    const samples = samplesOf(6, () => {
      const figures = allFigures(null);
      for (const name of Object.keys(figures) as (keyof typeof figures)[]) {
        figures[name] = Math.exp(0.05 * normal());
      }
      return figures;
    });
    const figures = contrast({ samples, arm: 1, isPaired: true, margin, primary: "serverCpuPerMessage" });
    const { serverCpuPerMessage: _, ...others } = figures;
    wrong += Object.values(others).some(({ finding }) => finding === "higher" || finding === "lower") ? 1 : 0;
  }
  assert.ok(wrong / 600 <= 0.065, `${wrong / 6} %`);
});

test("measuring until the interval is narrow does not make equal targets different", () => {
  const normal = normalOf(5);
  let wrong = 0;
  const comparisons = 600;
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    const all = samplesOf(30, () => allFigures(Math.exp(noise * normal())));
    for (let rounds = 5; rounds <= 30; rounds += 1) {
      const samples = all.filter(({ round }) => round <= rounds);
      const found = contrastOf({ samples, arm: 1, isPaired: true, margin: 0.001 }, "p50");
      if ((found.high ?? 9) / (found.ratio ?? 1) - 1 <= 0.02 || rounds === 30) {
        wrong += found.finding === "higher" || found.finding === "lower" ? 1 : 0;
        break;
      }
    }
  }
  assert.ok(wrong / comparisons <= 0.08, `${(100 * wrong) / comparisons} %`);
});
