import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Contrast, Sample } from "../../../../bench/result/comparison.ts";
import { contrast, contrastOf, control } from "../../../../bench/result/contrast.ts";
import { allFigures, normalOf, samplesOf } from "../../../support/comparison.ts";

type Round = readonly [a1: number, a2: number, b1: number, b2: number];

/** Samples of two arms whose every figure is the given value; one row of four (A1, A2, B1, B2) for each round. */
function samplesFrom(rounds: readonly Round[]): Sample[] {
  return samplesOf(rounds.length, ({ arm, round, process }) =>
    allFigures(rounds[round - 1]?.[2 * arm + process - 1] ?? null),
  );
}

function judged(samples: readonly Sample[], margin = 0.02): Contrast {
  return contrastOf({ samples, arm: 1, isPaired: true, margin }, "serverCpuPerMessage");
}

function assertNear(actual: number | null, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs((actual ?? Number.NaN) / expected - 1) < tolerance, `${actual} is not ${expected}`);
}

const value = fc.double({ min: 1, max: 1e6, noNaN: true });
const round = fc.tuple(value, value, value, value);
const rounds = fc.array(round, { minLength: 2, maxLength: 12 });

test("the ratio is the mean of the rounds by logarithm, with the t interval of their differences", () => {
  const found = judged(
    samplesFrom([
      [100, 100, 110, 110],
      [100, 100, 121, 121],
      [100, 100, 110, 110],
    ]),
  );
  const logs = [Math.log(1.1), Math.log(1.21), Math.log(1.1)];
  const mean = (logs[0] ?? 0) * (4 / 3);
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / 2);
  assertNear(found.ratio, Math.exp(mean));
  assertNear(found.high, Math.exp(mean + (4.302652729911275 * deviation) / Math.sqrt(3)), 1e-6);
  assertNear(found.low, Math.exp(mean - (4.302652729911275 * deviation) / Math.sqrt(3)), 1e-6);
  assert.equal(found.rounds, 3);
});

test("a steady drift within each round cancels, and the control shows it", () => {
  // The machine slows down by 1 % a measurement: A1 B1 B2 A2, then B1 A1 A2 B2, and so on.
  const samples = samplesOf(8, ({ arm, round, process }) => {
    const first = round % 2 === 1 ? 0 : 1;
    const position = process === 1 ? (arm === first ? 0 : 1) : arm === first ? 3 : 2;
    return allFigures(100 * 1.01 ** position * (1 + round / 1000));
  });
  const found = judged(samples);
  assertNear(found.ratio, 1, 1e-6);
  assert.equal(found.finding, "equivalent");
  const own = control(samples, 1).serverCpuPerMessage;
  assert.equal(own.holds, false);
  assertNear(own.ratio, 1.01 ** 2, 1e-6);
});

test("findings follow from the position of the interval", () => {
  const noisy = (ratio: number, spread: number): Round[] =>
    [1, -1, 1, -1, 1, -1].map((sign): Round => {
      const b = 100 * ratio * (1 + sign * spread);
      return [100, 100, b, b];
    });
  assert.equal(judged(samplesFrom(noisy(1.1, 0.01))).finding, "higher");
  assert.equal(judged(samplesFrom(noisy(0.9, 0.01))).finding, "lower");
  assert.equal(judged(samplesFrom(noisy(1.005, 0.01))).finding, "equivalent");
  assert.equal(judged(samplesFrom(noisy(1.005, 0.1))).finding, "undecided");
  assert.equal(judged(samplesFrom(noisy(1.1, 0.01))).beyondMargin, true);
  assert.equal(judged(samplesFrom(noisy(1.1, 0.01)), 0.2).finding, "equivalent");
  const close = judged(samplesFrom(noisy(1.025, 0.01)));
  assert.deepEqual([close.finding, close.beyondMargin], ["higher", false]);
});

test("one round has only a ratio", () => {
  const found = judged(samplesFrom([[100, 100, 200, 200]]));
  assertNear(found.ratio, 2);
  assert.deepEqual([found.low, found.high, found.finding], [null, null, "undecided"]);
});

test("exchanging the arms inverts the ratio and its interval, and turns the finding around", () => {
  const opposite = {
    higher: "lower",
    lower: "higher",
    equivalent: "equivalent",
    undecided: "undecided",
  } as const;
  fc.assert(
    fc.property(rounds, (list) => {
      const found = judged(samplesFrom(list));
      const turned = judged(samplesFrom(list.map(([a1, a2, b1, b2]) => [b1, b2, a1, a2])));
      assertNear(turned.ratio, 1 / (found.ratio ?? 0));
      assertNear(turned.low, 1 / (found.high ?? 0), 1e-6);
      assert.equal(turned.finding, opposite[found.finding]);
      assertNear(turned.detectable, found.detectable ?? 0);
    }),
  );
});

test("scaling one arm scales the ratio and its interval, and leaves the noise as it is", () => {
  fc.assert(
    fc.property(rounds, fc.constantFrom(0.25, 0.5, 2, 8), (list, factor) => {
      const before = judged(samplesFrom(list));
      const scaled = samplesFrom(list.map(([a1, a2, b1, b2]) => [a1, a2, b1 * factor, b2 * factor]));
      const after = judged(scaled);
      assertNear(after.ratio, (before.ratio ?? 0) * factor);
      assertNear(after.high, (before.high ?? 0) * factor, 1e-6);
      const [noise, scaledNoise] = [samplesFrom(list), scaled].map(
        (samples) => control(samples, 1).serverCpuPerMessage.noise ?? 0,
      );
      assertNear(1 + (scaledNoise ?? 0), 1 + (noise ?? 0), 1e-6);
    }),
  );
});

test("a round without the figure does not count, and is reported", () => {
  const samples = samplesFrom(Array.from({ length: 6 }, (): Round => [100, 101, 110, 111]));
  const [first] = samples;
  assert.ok(first !== undefined);
  first.figures.serverCpuPerMessage = null;
  const figures = contrast({ samples, arm: 1, isPaired: true, margin: 0.02, primary: "serverCpuPerMessage" });
  assert.deepEqual([figures.serverCpuPerMessage.rounds, figures.serverCpuPerMessage.missing], [5, 1]);
  assert.deepEqual([figures.p99.rounds, figures.p99.missing], [6, 0]);
  first.figures.serverCpuPerMessage = 0;
  assert.equal(judged(samples).missing, 1, "a CPU time of 0 is not known either");
});

test("ranks take part from ten rounds on, and hardly change with one outlier", () => {
  const list = Array.from({ length: 20 }, (_, index): Round => {
    const b = 105 + (index % 5) / 10;
    return [100, 100, b, b];
  });
  assert.equal(judged(samplesFrom(list.slice(0, 9))).rank, null);
  const wild = judged(samplesFrom([...list.slice(1), [100, 100, 2000, 2000]]));
  assertNear(wild.rank?.ratio ?? null, 1.052, 1e-3);
  assert.ok((wild.rank?.low ?? 0) > 1.05);
  assert.equal(wild.finding, "undecided", "the mean is not so calm");
  assert.deepEqual(
    wild.outliers.map(({ round, arm, process }) => [round, arm, process]),
    [
      [20, 1, 1],
      [20, 1, 2],
    ],
  );
});

test("figures other than the primary one stand only among all of them", () => {
  const normal = normalOf(7);
  const effects = { serverCpuPerMessage: 0, messagesPerSecond: 0.025, p50: 0, p99: 0, p999: 0 };
  const samples = samplesOf(6, ({ arm }) => {
    const figures = allFigures(null);
    for (const [name, effect] of Object.entries(effects)) {
      figures[name as keyof typeof effects] = 100 * Math.exp(arm * effect + 0.02 * normal());
    }
    return figures;
  });
  const common = { samples, arm: 1, isPaired: true, margin: 0.001 };
  const alone = contrastOf(common, "messagesPerSecond");
  const among = contrast({ ...common, primary: "serverCpuPerMessage" }).messagesPerSecond;
  const chosen = contrast({ ...common, primary: "messagesPerSecond" }).messagesPerSecond;
  assert.equal(alone.finding, "higher");
  assert.ok((alone.probability ?? 1) > 0.0125, "the example is a close one");
  assertNear(among.probability, 4 * (alone.probability ?? 0), 1e-6);
  assert.equal(among.finding, "undecided");
  assert.equal(chosen.finding, "higher");
});
