import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Leak, leakOf } from "../../../../bench/result/leak.ts";
import type { Point } from "../../../../bench/result/trend.ts";
import { createRandom } from "../../../../src/lib/random.ts";
import { normalOf } from "../../../support/comparison.ts";

const miB = 2 ** 20;
const leakPerSecond = miB / 60;
const rounds = 40;

/** Memory second by second for ten minutes, many times over, by seed. */
function simulate(memoryAt: (seed: number) => (second: number) => number): Leak[] {
  return Array.from({ length: rounds }, (_, seed) => {
    const memory = memoryAt(seed + 1);
    return leakOf(Array.from({ length: 600 }, (_, x): Point => ({ x, y: memory(x) })));
  });
}

/** Grows for half a minute to one and a half, then falls back: what a garbage collector does. */
function sawTooth(seed: number): (second: number) => number {
  const random = createRandom(seed);
  const noise = normalOf(seed + 1000);
  let next = 60 * random();
  let last = next - 60;
  return (second) => {
    while (second >= next) {
      last = next;
      next += 30 + 60 * random();
    }
    return 80 * miB + (20 * miB * (second - last)) / 60 + 0.5 * miB * noise();
  };
}

const count = (leaks: readonly Leak[], verdict: Leak["verdict"]): number =>
  leaks.filter((leak) => leak.verdict === verdict).length;

describe("leakOf", () => {
  it("finds 1 MiB a minute in noise, and how much it is", () => {
    const leaks = simulate((seed) => {
      const noise = normalOf(seed);
      return (second) => 80 * miB + leakPerSecond * second + miB * noise();
    });
    assert.equal(count(leaks, "leak"), rounds);
    for (const { slope } of leaks) {
      assert.ok(Math.abs((slope?.center ?? 0) / leakPerSecond - 1) < 0.15);
    }
  });

  it("finds 1 MiB a minute below a saw-tooth of 20 MiB", () => {
    const leaks = simulate((seed) => {
      const saw = sawTooth(seed);
      return (second) => leakPerSecond * second + saw(second);
    });
    assert.equal(count(leaks, "leak"), rounds);
  });

  it("finds no leak in the saw-tooth alone, and excludes that much", () => {
    const leaks = simulate(sawTooth);
    assert.ok(count(leaks, "leak") <= 1);
    assert.ok(count(leaks, "none") >= rounds - 2);
    const excluded = leaks.filter(({ slope }) => (slope?.high ?? Number.POSITIVE_INFINITY) < leakPerSecond);
    assert.ok(excluded.length >= rounds - 1);
  });

  it("finds no leak in noise whose values resemble their neighbours", () => {
    const leaks = simulate((seed) => {
      const noise = normalOf(seed);
      let memory = 0;
      return () => {
        memory = 0.9 * memory + noise() * miB;
        return 80 * miB + memory;
      };
    });
    assert.ok(count(leaks, "leak") <= 3, `${count(leaks, "leak")} of ${rounds}`);
  });

  it("concludes nothing from memory that fell only twice", () => {
    const points = Array.from({ length: 600 }, (_, x) => ({ x, y: 80 * miB + 100_000 * (x % 250) }));
    assert.equal(leakOf(points).verdict, "undecided");
  });

  it("is not misled by a spike at the start", () => {
    const noise = normalOf(5);
    const points = Array.from({ length: 300 }, (_, x) => ({
      x,
      y: x < 3 ? 500 * miB : (80 + noise()) * miB,
    }));
    assert.equal(leakOf(points).verdict, "none");
  });

  it("concludes nothing from a handful of points", () => {
    assert.equal(leakOf([1, 2, 3, 4].map((y, x) => ({ x, y }))).verdict, "undecided");
  });

  it("finds no leak in a count that never changes", () => {
    const { verdict, slope } = leakOf(Array.from({ length: 100 }, (_, x) => ({ x, y: 27 })));
    assert.equal(verdict, "none");
    assert.equal(slope?.high, 0);
  });

  it("finds one descriptor that is lost every ten seconds", () => {
    const points = Array.from({ length: 100 }, (_, x) => ({ x, y: 27 + Math.floor(x / 10) }));
    const { verdict, slope } = leakOf(points);
    assert.equal(verdict, "leak");
    assert.ok(Math.abs((slope?.center ?? 0) - 0.1) < 0.01);
  });
});
