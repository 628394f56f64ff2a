import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createPacer, EvenPacer, type Pacer, PoissonPacer, type Turn } from "../../../../bench/load/pacer.ts";

/** The next `count` due times. */
function take(pacer: Pacer, count: number): number[] {
  return Array.from({ length: count }, () => {
    const dueNs = pacer.nextNs;
    pacer.advance();
    return dueNs;
  });
}

function turnOf(index: number, count: number): Turn {
  return { thread: { index, count }, phase: 0, seed: index };
}

/** A generator of numbers in [0, 1) that repeats. */
function lehmer(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe("an even schedule", () => {
  test("is a multiple of its interval, without an error that adds up", () => {
    const pacer = new EvenPacer(1000, 1e9 / 3);
    const due = take(pacer, 30_001);
    assert.equal(due[0], 1000);
    assert.ok(Math.abs((due[30_000] ?? 0) - (1000 + 1e13)) < 1);
  });

  test("of several generators is, put together, that of one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1_000_000 }), (count, rate) => {
        const together = Array.from({ length: count }, (_, index) =>
          take(createPacer("even", rate, 5e9, turnOf(index, count)), 20),
        )
          .flat()
          .sort((a, b) => a - b);
        const alone = take(createPacer("even", rate, 5e9, turnOf(0, 1)), 20 * count);
        for (const [i, dueNs] of alone.entries()) {
          assert.ok(Math.abs(dueNs - (together[i] ?? 0)) < 1, `message ${i}`);
        }
      }),
    );
  });
});

describe("a Poisson schedule", () => {
  test("never goes back, and repeats with its random numbers", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const due = take(new PoissonPacer(0, 1000, lehmer(seed)), 200);
        assert.deepEqual(due, take(new PoissonPacer(0, 1000, lehmer(seed)), 200));
        assert.ok(due.every((dueNs, i) => i === 0 || dueNs >= (due[i - 1] ?? 0)));
      }),
    );
  });

  test("repeats with its seed, and is another one with another seed", () => {
    const dueOf = (seed: number) => take(createPacer("poisson", 1000, 0, { ...turnOf(0, 1), seed }), 100);
    assert.deepEqual(dueOf(7), dueOf(7));
    assert.notDeepEqual(dueOf(7), dueOf(8));
  });

  test("has the mean and the spread of exponential gaps", () => {
    const due = take(new PoissonPacer(0, 1000, lehmer(42)), 100_000);
    const gaps = due.map((dueNs, i) => dueNs - (due[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    assert.ok(Math.abs(mean - 1000) < 20, `mean ${mean}`);
    assert.ok(Math.abs(deviation - 1000) < 30, `deviation ${deviation}`);
  });
});

test("even schedules of several generators that start together take turns", () => {
  const due = [0, 1, 2, 3].flatMap((part) => {
    const pacer = createPacer("even", 100, 0, { ...turnOf(0, 1), phase: part / 4 });
    return [0, 1, 2].map(() => {
      const { nextNs } = pacer;
      pacer.advance();
      return nextNs / 1e6;
    });
  });
  assert.deepEqual(
    due.sort((a, b) => a - b),
    [0, 2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20, 22.5, 25, 27.5],
  );
});
