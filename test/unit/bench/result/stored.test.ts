import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../../../../bench/result/schema.ts";
import { compareStored, MismatchError } from "../../../../bench/result/stored.ts";
import { normalOf } from "../../../support/comparison.ts";
import { exampleResult } from "../../../support/result.ts";

/** So many Results of a server, with a little noise, begun a minute apart. */
function group(
  count: number,
  cpuUs: number,
  seed: number,
  change: (result: Result) => void = () => undefined,
) {
  const normal = normalOf(seed);
  return Array.from({ length: count }, (_, index) =>
    exampleResult((result) => {
      result.window.startedAt = new Date(Date.UTC(2026, 10, seed, 12, index)).toISOString();
      if (result.server !== undefined) {
        result.server.cpuUsPerMessage = cpuUs * Math.exp(0.01 * normal());
      }
      change(result);
    }),
  );
}

function compared(before: readonly Result[], after: readonly Result[]) {
  return compareStored({
    baseline: { name: "before", results: before },
    value: { name: "after", results: after },
    margin: 0.02,
    primary: undefined,
  });
}

function problemsOf(before: readonly Result[], after: readonly Result[]): string {
  try {
    compared(before, after);
  } catch (error) {
    assert.ok(error instanceof MismatchError);
    return error.problems.join("\n");
  }
  return assert.fail("it was compared");
}

test("two groups of Results give a ratio with Welch's interval", () => {
  const comparison = compared(group(8, 4, 1), group(6, 4.4, 2));
  const { ratio, low, high, finding, rounds } = comparison.figures.serverCpuPerMessage;
  assert.ok(Math.abs((ratio ?? 0) - 1.1) < 0.02, String(ratio));
  assert.ok((low ?? 0) > 1.07 && (high ?? 9) < 1.13, `${low} to ${high}`);
  assert.deepEqual([finding, rounds, comparison.rounds, comparison.stop], ["higher", 6, 0, "stored"]);
  assert.equal(comparison.control, null);
  assert.match(comparison.warnings.join(), /measured at different times/);
});

test("seeds, and payloads made from them, may differ; the content of a file may not", () => {
  const [one, two] = ["1".repeat(64), "2".repeat(64)] as const;
  const seeded = (payloadSha256: string, seed: number) => (result: Result) =>
    Object.assign(result.scenario, { payloadSha256, seed });
  const fromFile = (payloadSha256: string) => (result: Result) =>
    Object.assign(result.scenario, { payloadSha256, fill: null });
  assert.equal(compared(group(2, 4, 1, seeded(one, 1)), group(2, 4, 2, seeded(two, 2))).samples.length, 4);
  assert.match(
    problemsOf(group(2, 4, 1, fromFile(one)), group(2, 4, 2, fromFile(two))),
    /payloadSha256 differs/,
  );
});

test("one Result on each side has a ratio without an interval", () => {
  const comparison = compared(group(1, 4, 1), group(1, 8, 2));
  const { ratio, low, finding } = comparison.figures.serverCpuPerMessage;
  assert.ok((ratio ?? 0) > 1.9);
  assert.deepEqual([low, finding], [null, "undecided"]);
  assert.match(comparison.warnings.join(), /A single Result on a side gives no interval/);
});

test("another machine, another load, or a Result on both sides is refused, with every difference", () => {
  const before = group(2, 4, 1);
  const other = group(2, 4, 2, (result) => {
    result.environment.cpuModel = "Other CPU";
    result.environment.versions["node"] = "24.0.0";
    result.scenario.connections = 128;
  });
  const problems = problemsOf(before, other);
  assert.match(problems, /environment\.cpuModel differs: "Test CPU" and "Other CPU"/);
  assert.match(problems, /environment\.versions\.node differs/);
  assert.match(problems, /scenario\.connections differs: 64 and 128/);
  assert.match(problemsOf(before, [...before.slice(1), ...group(1, 4, 3)]), /is on both sides/);
  assert.match(problemsOf(before, []), /no Result on one side/);
});

test("another commit of the harness, target and label do not matter", () => {
  const after = group(2, 4, 2, (result) => {
    result.environment.commit = "f".repeat(40);
    result.environment.loadAverage = 3;
    result.target.url = "ws://127.0.0.1:9/echo";
    result.label = "after";
  });
  assert.equal(compared(group(2, 4, 1), after).stop, "stored");
});
