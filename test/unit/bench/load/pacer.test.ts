import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createPacer, type Pacer } from "../../../../bench/load/pacer.ts";
import { constant } from "../../../../bench/scenario/curve.ts";
import { createRandom } from "../../../../src/lib/random.ts";

/** The next `count` due times. */
function take(pacer: Pacer, count: number): number[] {
  return Array.from({ length: count }, () => {
    const dueNs = pacer.nextNs;
    pacer.advance();
    return dueNs;
  });
}

const alone = { index: 0, count: 1 };

/** Random arrivals of a million a second from 0 on. */
function poisson(seed: number): Pacer {
  return createPacer("poisson", constant(1_000_000), 0, alone, 0, createRandom(seed));
}

describe("an even schedule", () => {
  test("is a multiple of its interval, without an error that adds up", () => {
    const pacer = createPacer("even", constant(3), 1000, alone);
    const due = take(pacer, 30_001);
    assert.equal(due[0], 1000);
    assert.ok(Math.abs((due[30_000] ?? 0) - (1000 + 1e13)) < 1);
  });

  test("of several generators adds up to that of one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1_000_000 }), (count, rate) => {
        const together = Array.from({ length: count }, (_, index) =>
          take(createPacer("even", constant(rate), 5e9, { index, count }), 20),
        )
          .flat()
          .sort((a, b) => a - b);
        const ofOne = take(createPacer("even", constant(rate), 5e9, alone), 20 * count);
        for (const [i, dueNs] of ofOne.entries()) {
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
        const due = take(poisson(seed), 200);
        assert.deepEqual(due, take(poisson(seed), 200));
        assert.ok(due.every((dueNs, i) => i === 0 || dueNs >= (due[i - 1] ?? 0)));
      }),
    );
  });

  test("differs with another seed", () => {
    assert.notDeepEqual(take(poisson(7), 100), take(poisson(8), 100));
  });

  test("has the mean and the spread of exponential gaps", () => {
    const due = take(poisson(42), 100_000);
    const gaps = due.map((dueNs, i) => dueNs - (due[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    assert.ok(Math.abs(mean - 1000) < 20, `mean ${mean}`);
    assert.ok(Math.abs(deviation - 1000) < 30, `deviation ${deviation}`);
  });
});

test("even schedules of several generators that start together take turns", () => {
  const due = [0, 1, 2, 3].flatMap((part) => {
    const pacer = createPacer("even", constant(100), 0, alone, part / 4);
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
