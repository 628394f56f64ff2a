import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changesOf, shareOf } from "../../../../bench/load/arrivals.ts";
import { type Curve, constant, lengthMs, valueAt } from "../../../../bench/scenario/curve.ts";
import { createRandom } from "../../../../src/lib/random.ts";

const alone = { index: 0, count: 1 };
const times = (size: Curve, thread = alone) =>
  [...changesOf(size, thread, "even", Math.random)].map(({ atMs, by }) => [Math.round(atMs), by]);

test("a constant size has no changes", () => {
  assert.deepEqual(times(constant(100)), []);
});

test("a ramp adds clients one by one, the first at once, and takes the newest away as it falls", () => {
  assert.deepEqual(
    times([
      { durationMs: 400, from: 0, to: 4 },
      { durationMs: 100, from: 4, to: 2 },
    ]),
    [
      [0, 1],
      [100, 1],
      [200, 1],
      [300, 1],
      [450, -1],
      [500, -1],
    ],
  );
});

test("a jump adds all of its clients at one moment", () => {
  assert.deepEqual(
    times([
      { durationMs: 1000, from: 1, to: 1 },
      { durationMs: 0, from: 1, to: 3 },
      { durationMs: 1000, from: 3, to: 3 },
      { durationMs: 500, from: 1, to: 1 },
    ]),
    [
      [1000, 1],
      [1000, 1],
      [2000, -1],
      [2000, -1],
    ],
  );
});

const piece = fc.record({ durationMs: fc.nat(2000), from: fc.nat(40), to: fc.nat(40) });

test("threads share any curve: together they have as many clients as it says", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom("even" as const, "poisson" as const),
      fc.nat(),
      (size, count, arrivals, seed) => {
        let together = 0;
        for (let index = 0; index < count; index += 1) {
          const thread = { index, count };
          const changes = [...changesOf(size, thread, arrivals, createRandom(seed))];
          together += changes.reduce((sum, { by }) => sum + by, shareOf(valueAt(size, 0), thread));
          assert.ok(changes.every(({ atMs }, i) => atMs >= (changes[i - 1]?.atMs ?? 0) - 1e-9));
          assert.ok(changes.every(({ atMs }) => atMs <= lengthMs(size) + 1e-9));
        }
        assert.equal(together, size.at(-1)?.to);
      },
    ),
  );
});
