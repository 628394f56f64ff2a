import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, percentile, spread } from "../../../../bench/result/stats.ts";

/** Adding 0 turns -0 into 0, which look the same to a reader. */
const value = fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((number) => number + 0);
const values = fc.array(value, { minLength: 1, maxLength: 50 });

test("the median of an odd number of values is the one in the middle, of an even number the mean of two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("a percentile has at least its share of values on each side", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (list, percent) => {
      const at = percentile(list, percent);
      const below = list.filter((value) => value <= at).length;
      const above = list.filter((value) => value >= at).length;
      const steps = list.length - 1;
      assert.ok(below >= Math.floor((steps * percent) / 100), `${below} values are not above ${at}`);
      assert.ok(above >= Math.floor((steps * (100 - percent)) / 100), `${above} values are not below ${at}`);
    }),
  );
});

test("order does not matter, and the input is left as it was", () => {
  fc.assert(
    fc.property(values, (list) => {
      const before = [...list];
      assert.deepEqual(spread(list), spread([...list].reverse()));
      assert.deepEqual(list, before);
    }),
  );
});

test("the range is that of a naive scan", () => {
  fc.assert(
    fc.property(values, (list) => {
      const { min, max } = spread(list);
      assert.equal(
        min,
        [...list].reduce((a, b) => Math.min(a, b)),
      );
      assert.equal(
        max,
        [...list].reduce((a, b) => Math.max(a, b)),
      );
    }),
  );
});

test("no values and impossible percentiles are refused", () => {
  assert.throws(() => median([]), RangeError);
  assert.throws(() => percentile([1], 101), RangeError);
  assert.throws(() => percentile([1], Number.NaN), RangeError);
});
