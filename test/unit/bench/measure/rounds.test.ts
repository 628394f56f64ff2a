import assert from "node:assert/strict";
import { test } from "node:test";
import { orderOf } from "../../../../bench/measure/rounds.ts";

const letters = (arms: number, round: number): string =>
  orderOf(arms, round)
    .map(({ arm, process }) => `${"ABCDE"[arm]}${process}`)
    .join(" ");

test("a round goes through the arms there and back, and the next begins with another arm", () => {
  assert.equal(letters(2, 1), "A1 B1 B2 A2");
  assert.equal(letters(2, 2), "B1 A1 A2 B2");
  assert.equal(letters(2, 3), letters(2, 1));
  assert.equal(letters(3, 2), "B1 C1 A1 A2 C2 B2");
});

test("every arm is measured twice a round, at positions with the same mean", () => {
  for (const arms of [1, 2, 3, 5]) {
    for (let round = 1; round <= arms; round += 1) {
      const order = orderOf(arms, round);
      for (let arm = 0; arm < arms; arm += 1) {
        const positions = order.flatMap((entry, position) => (entry.arm === arm ? [position] : []));
        assert.equal(positions.length, 2);
        assert.equal((positions[0] ?? 0) + (positions[1] ?? 0), 2 * arms - 1);
      }
    }
  }
});
