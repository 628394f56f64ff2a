import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferBudget, type BufferHolder } from "../../../src/lib/buffer-budget.ts";

/** A holder of some readers with bytes waiting, as a list. */
function holderOf(budget: BufferBudget, waiting: number[]): BufferHolder {
  return {
    largest: () => Math.max(0, ...waiting),
    dropLargest() {
      const [bytes = 0] = waiting.splice(waiting.indexOf(Math.max(...waiting)), 1);
      budget.add(-bytes);
    },
  };
}

test("over the cap the reader with most bytes is dropped first, wherever they are", () => {
  const totals: number[] = [];
  const budget = new BufferBudget(100, (total) => totals.push(total));
  const one = [60, 10];
  const other = [50, 40];
  budget.join(holderOf(budget, one));
  budget.join(holderOf(budget, other));
  for (const bytes of [...one, ...other]) {
    budget.add(bytes);
  }
  budget.enforce();
  assert.deepEqual(one, [10]);
  assert.deepEqual(other, [50, 40]);
  assert.equal(totals.at(-1), 100);
});

test("within the cap nobody is dropped", () => {
  const budget = new BufferBudget(100, () => undefined);
  const waiting = [100];
  budget.join(holderOf(budget, waiting));
  budget.add(100);
  budget.enforce();
  assert.deepEqual(waiting, [100]);
});

test("a holder that drops nothing ends the search", () => {
  const budget = new BufferBudget(1, () => undefined);
  budget.join({ largest: () => 5, dropLargest: () => undefined });
  budget.add(5);
  budget.enforce();
  budget.enforce();
});
