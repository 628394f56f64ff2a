import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planEntries, type SweepOptions, sweep } from "../../../../bench/measure/sweep.ts";
import type { Cell, PlanEntry } from "../../../../bench/result/sweep.ts";
import { TargetError } from "../../../../bench/target/target.ts";
import { exampleResult } from "../../../support/result.ts";

const cells: Cell[] = [1, 8, 64].flatMap((connections) =>
  [64, 1024].map((payloadBytes) => ({ connections, payloadBytes, depth: 4, ratePerSecond: null })),
);

describe("a plan", () => {
  test("has every combination once in each round, in an order that the seed decides", () => {
    const entries = planEntries(cells, 3, 7);
    assert.equal(entries.length, 18);
    assert.equal(new Set(entries.map(({ file }) => file)).size, 18);
    for (const round of [1, 2, 3]) {
      const own = entries.slice(6 * (round - 1), 6 * round);
      assert.ok(own.every(({ repeat }) => repeat === round));
      assert.deepEqual(own.map(({ file }) => file).toSorted(), [
        `c1-s1024-d4-${round}.json`,
        `c1-s64-d4-${round}.json`,
        `c64-s1024-d4-${round}.json`,
        `c64-s64-d4-${round}.json`,
        `c8-s1024-d4-${round}.json`,
        `c8-s64-d4-${round}.json`,
      ]);
    }
    const orderOf = (seed: number) =>
      planEntries(cells, 2, seed).map(({ connections, payloadBytes }) => `${connections}/${payloadBytes}`);
    assert.deepEqual(orderOf(7), orderOf(7));
    assert.notDeepEqual(orderOf(7), orderOf(8));
    assert.notDeepEqual(orderOf(7).slice(0, 6), orderOf(7).slice(6));
  });

  test("names rates in its files", () => {
    const cell = { connections: 4, payloadBytes: 64, depth: null, ratePerSecond: 2500 };
    assert.deepEqual(
      planEntries([cell], 1, 1).map(({ file }) => file),
      ["c4-s64-r2500-1.json"],
    );
  });
});

/** Runs a sweep whose measurements do what `measure` says; gives what it measured, in order. */
async function run(measure: (entry: PlanEntry, made: number) => void, changes: Partial<SweepOptions> = {}) {
  const made: string[] = [];
  const kept: string[] = [];
  const ended = await sweep({
    entries: planEntries(cells, 1, 7),
    isDone: () => false,
    measure: (entry) => {
      made.push(entry.file);
      measure(entry, made.length);
      return Promise.resolve(exampleResult());
    },
    keep: ({ file }) => kept.push(file),
    onMissing: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  });
  return { made, kept, ...ended };
}

describe("a sweep", () => {
  test("measures what is missing, in the order of the plan", async () => {
    const files = planEntries(cells, 1, 7).map(({ file }) => file);
    const there = new Set([files[0], files[3]]);
    const { made, kept, stop } = await run(() => undefined, { isDone: ({ file }) => there.has(file) });
    assert.deepEqual(made, [files[1], files[2], files[4], files[5]]);
    assert.deepEqual([kept, stop], [made, "complete"]);
  });

  test("continues after a measurement that failed, and leaves it for the next start", async () => {
    const { kept, missing, stop } = await run((_, made) => {
      if (made === 2) {
        throw new TargetError("no luck");
      }
    });
    assert.deepEqual([kept.length, missing.map(({ reason }) => reason), stop], [5, ["no luck"], "complete"]);
  });

  test("ends when the target has ended", async () => {
    const { made, stop } = await run((_, count) => {
      if (count > 1) {
        throw new TargetError("gone");
      }
    });
    assert.deepEqual([made.length, stop], [4, "target-gone"]);
  });

  test("keeps nothing of the measurement in which it was interrupted", async () => {
    const controller = new AbortController();
    const { made, kept, stop } = await run(
      (_, count) => {
        if (count === 3) {
          controller.abort();
        }
      },
      { signal: controller.signal },
    );
    assert.deepEqual([made.length, kept.length, stop], [3, 2, "interrupted"]);
  });

  test("does not hide its own faults", async () => {
    await assert.rejects(
      run(() => {
        throw new RangeError("a bug");
      }),
      /a bug/,
    );
  });
});
