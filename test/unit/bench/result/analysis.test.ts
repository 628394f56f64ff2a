import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePrimary } from "../../../../bench/result/analysis.ts";
import { comparisonSchema, isAcceptable, type Sample } from "../../../../bench/result/comparison.ts";
import { allFigures, comparisonOf, normalOf, samplesOf } from "../../../support/comparison.ts";

/** Sound samples with a little noise. */
function sound(rounds = 6): Sample[] {
  const normal = normalOf(rounds);
  return samplesOf(rounds, () => allFigures(100 * Math.exp(0.002 * normal())));
}

test("a sound comparison has no warnings, and matches its schema", () => {
  const comparison = comparisonOf(sound());
  assert.deepEqual(comparison.warnings, []);
  assert.ok(isAcceptable(comparison));
  assert.deepEqual(comparisonSchema.parse(comparison), comparison);
  assert.equal(comparison.rounds, 6);
  assert.equal(comparison.figures.p99.finding, "equivalent");
});

test("the primary figure is CPU time if it is known, else what the loop measures", () => {
  const samples = sound();
  assert.equal(choosePrimary(samples, { ratePerSecond: null }), "serverCpuPerMessage");
  for (const { figures } of samples) {
    figures.serverCpuPerMessage = null;
  }
  assert.equal(choosePrimary(samples, { ratePerSecond: null }), "messagesPerSecond");
  assert.equal(choosePrimary(samples, { ratePerSecond: 1000 }), "p99");
  assert.equal(comparisonOf(samples).primary, "messagesPerSecond");
  assert.equal(comparisonOf(samples, { primary: "p50" }).primary, "p50");
});

test("warnings count the samples with problems, and a failed one voids the comparison", () => {
  const samples = sound(5);
  Object.assign(samples[0] ?? {}, { verdict: "client-bound" });
  Object.assign(samples[1] ?? {}, { verdict: "idle", failures: ["3 messages were lost"] });
  const comparison = comparisonOf(samples);
  const text = comparison.warnings.join("\n");
  assert.match(
    text,
    /1 of 20 measurements are not acceptable \(3 messages were lost\): the comparison is invalid/,
  );
  assert.match(text, /In 1 of 20 measurements the generator was the bottleneck/);
  assert.match(text, /In 1 of 20 measurements the target was not saturated/);
  assert.ok(!isAcceptable(comparison));
});

test("a measurement without CPU time is reported, and the remaining rounds are counted", () => {
  const samples = sound();
  const [first] = samples;
  assert.ok(first !== undefined);
  first.figures.serverCpuPerMessage = null;
  assert.deepEqual(comparisonOf(samples).warnings, [
    "1 of 24 measurements lack serverCpuPerMessage: it is based on 5 of 6 rounds.",
  ]);
});

test("a figure that no measurement has is not reported, unless the comparison is about it", () => {
  const samples = sound();
  for (const { figures } of samples) {
    figures.serverCpuPerMessage = null;
  }
  assert.deepEqual(comparisonOf(samples).warnings, []);
  assert.match(
    comparisonOf(samples, { primary: "serverCpuPerMessage" }).warnings.join(),
    /24 of 24 measurements lack serverCpuPerMessage: it is based on 0 of 6 rounds/,
  );
});

test("outlying processes are named, but still count", () => {
  const samples = sound();
  const [, second] = samples;
  assert.ok(second !== undefined);
  second.figures.serverCpuPerMessage = 150;
  const comparison = comparisonOf(samples);
  assert.match(
    comparison.warnings.join(),
    /Far from the others of their arm in serverCpuPerMessage, and counted all the same: A round 1 process 2\./,
  );
  assert.equal(comparison.figures.serverCpuPerMessage.rounds, 6);
  assert.ok((comparison.figures.serverCpuPerMessage.baseline?.max ?? 0) === 150);
});

test("failed rounds and an early end are reported, and make a comparison unacceptable", () => {
  const failed = comparisonOf(sound(), {
    failedRounds: [{ round: 3, reason: "the target ended at once" }],
  });
  assert.match(failed.warnings.join(), /Round 3 does not count: the target ended at once\./);
  assert.ok(!isAcceptable(failed));
  const interrupted = comparisonOf(sound(), { stop: "interrupted" });
  assert.match(interrupted.warnings.join(), /Interrupted after 6 complete rounds\./);
  assert.ok(!isAcceptable(interrupted));
  assert.ok(isAcceptable(comparisonOf(sound(), { stop: "width" })));
  assert.match(comparisonOf(sound(1)).warnings.join(), /Only 1 round: .* none of a single one/);
});

test("means and ranks that disagree are reported", () => {
  const samples = samplesOf(12, ({ arm, round }) =>
    allFigures((arm === 1 ? 105 + (round % 4) / 10 : 100) * (round === 12 && arm === 1 ? 20 : 1)),
  );
  assert.match(
    comparisonOf(samples).warnings.join("\n"),
    /By ranks, which outliers move little, serverCpuPerMessage is "higher" .*, by means "undecided"/,
  );
});
