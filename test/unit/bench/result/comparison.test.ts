import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  comparisonWarnings,
  contrastOf,
  contrastsOf,
  type FigureName,
  figureNames,
  isAcceptable,
  type Sample,
} from "../../../../bench/result/comparison.ts";

/** Samples of two arms whose every figure is the given value; one row of four (A1, A2, B1, B2) for each round. */
function samplesOf(rounds: readonly (readonly [number, number, number, number])[]): Sample[] {
  return rounds.flatMap((values, index) =>
    values.map(
      (value, position): Sample => ({
        round: index + 1,
        arm: position < 2 ? 0 : 1,
        process: position % 2 === 0 ? 1 : 2,
        startedAt: "2026-11-22T12:00:00.000Z",
        figures: Object.fromEntries(figureNames.map((name) => [name, value])) as Record<FigureName, number>,
        verdict: "server-bound",
        failures: [],
      }),
    ),
  );
}

function contrast(rounds: readonly (readonly [number, number, number, number])[]) {
  const found = contrastOf(samplesOf(rounds), "messagesPerSecond", 1);
  assert.ok(found !== undefined);
  return found;
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual} is not ${expected}`);
}

const value = fc.double({ min: 1, max: 1e6, noNaN: true });
const round = fc.tuple(value, value, value, value);
const rounds = fc.array(round, { minLength: 1, maxLength: 8 });

test("ratios are pair by pair, noise is within an arm, and a difference beyond it is real", () => {
  const found = contrast([
    [100, 104, 200, 208],
    [100, 100, 190, 200],
    [100, 98, 200, 196],
  ]);
  assertNear(found.ratio.median, 2);
  assertNear(found.ratio.min, 1.9);
  assertNear(found.noise.high, 200 / 190);
  assertNear(found.noise.low, 190 / 200);
  assert.equal(found.baseline.median, 100);
  assert.equal(found.finding, "higher");
});

test("a difference inside the noise is not shown, however steady its direction", () => {
  const found = contrast([
    [100, 110, 103, 113],
    [100, 109, 103, 112],
    [110, 100, 113, 103],
  ]);
  assert.ok(found.ratio.min > 1);
  assert.equal(found.finding, "no-difference");
});

test("a median beyond the noise does not count when the pairs disagree", () => {
  const found = contrast([
    [100, 102, 150, 150],
    [100, 102, 150, 150],
    [100, 102, 99, 101],
  ]);
  assert.ok(found.ratio.median > found.noise.high);
  assert.equal(found.finding, "no-difference");
});

test("two rounds are too few to show a difference, however large", () => {
  const clear = [100, 101, 500, 505] as const;
  assert.equal(contrast([clear, clear]).finding, "no-difference");
  assert.equal(contrast([clear, clear, clear]).finding, "higher");
});

test("an arm compared with the very same values is never found different", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 8 }), (pairs) => {
      const found = contrast(pairs.map(([first, second]) => [first, second, first, second]));
      assertNear(found.ratio.median, 1);
      assert.equal(found.finding, "no-difference");
    }),
  );
});

test("scaling one arm scales the ratio and leaves the noise as it is", () => {
  fc.assert(
    fc.property(rounds, fc.constantFrom(0.25, 0.5, 2, 8), (list, factor) => {
      const before = contrast(list);
      const after = contrast(list.map(([a1, a2, b1, b2]) => [a1, a2, b1 * factor, b2 * factor]));
      assert.ok(Math.abs(after.ratio.median / (before.ratio.median * factor) - 1) < 1e-9);
      assert.ok(Math.abs(after.noise.high / before.noise.high - 1) < 1e-9);
    }),
  );
});

test("exchanging the arms turns higher into lower and back", () => {
  fc.assert(
    fc.property(rounds, (list) => {
      const opposite = { higher: "lower", lower: "higher", "no-difference": "no-difference" } as const;
      const { finding, ratio } = contrast(list);
      const turned = contrast(list.map(([a1, a2, b1, b2]) => [b1, b2, a1, a2]));
      assert.ok(Math.abs(turned.ratio.median * ratio.median - 1) < 1e-9);
      assert.equal(turned.finding, opposite[finding]);
    }),
  );
});

test("a figure that one sample does not know is not compared, the others are", () => {
  const samples = samplesOf([[1, 1, 2, 2]]);
  const [first] = samples;
  assert.ok(first !== undefined);
  first.figures.serverCpuUsPerMessage = null;
  const figures = contrastsOf(samples, 2).map(({ figure }) => figure);
  assert.deepEqual(figures, ["messagesPerSecond", "p50Us", "p99Us", "p999Us"]);
});

test("warnings count what is wrong with the samples, and a failed one voids the comparison", () => {
  const samples = samplesOf(Array.from({ length: 5 }, () => [1, 1, 2, 2] as const));
  assert.deepEqual(comparisonWarnings(samples), []);
  assert.ok(isAcceptable({ samples }));
  Object.assign(samples[0] ?? {}, { verdict: "client-bound" });
  Object.assign(samples[1] ?? {}, { verdict: "idle", failures: ["3 messages were lost"] });
  const text = comparisonWarnings(samples).join("\n");
  assert.match(
    text,
    /1 of 20 measurements are not acceptable \(3 messages were lost\): the comparison is invalid/,
  );
  assert.match(text, /In 1 of 20 measurements the generator was the bottleneck/);
  assert.match(text, /In 1 of 20 measurements the target was not seen to be saturated/);
  assert.ok(!isAcceptable({ samples }));
  assert.match(
    comparisonWarnings(samplesOf([[1, 1, 1, 1]])).join(),
    /Only 1 rounds: too few to show any difference/,
  );
});
