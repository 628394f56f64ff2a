import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAbort } from "../../../../bench/scenario/abort.ts";
import { parseStages } from "../../../../bench/scenario/stages.ts";
import { UnitError } from "../../../../src/lib/units.ts";

const shapes = (text: string) => parseStages(text).map(({ durationMs, from, to }) => [durationMs, from, to]);

describe("stages", () => {
  test("are a time and a rate, or where a rate comes from and goes to", () => {
    assert.deepEqual(shapes("30s:0..20k,1m:20k, 10s:50k/s"), [
      [30_000, 0, 20_000],
      [60_000, 20_000, 20_000],
      [10_000, 50_000, 50_000],
    ]);
  });

  test("go on from the stage before when they do not say where they come from", () => {
    assert.deepEqual(shapes("1s:..100,1s:..0"), [
      [1000, 0, 100],
      [1000, 100, 0],
    ]);
  });

  test("take fractions", () => {
    assert.deepEqual(shapes("1.5s:0.5..2.5,1s:1.5k"), [
      [1500, 0.5, 2.5],
      [1000, 1500, 1500],
    ]);
  });

  test("have names of their own", () => {
    assert.deepEqual(
      parseStages("1s:5,2s:9,1s:5").map(({ name }) => name),
      ["1s:5", "2s:9", "1s:5 (3)"],
    );
  });

  for (const [text, problem] of [
    ["", /is not a stage: write TIME:RATE/],
    ["30s", /is not a stage/],
    ["30:5", /"30" is not a duration/],
    ["30s:fast", /is not a rate/],
    ["30s:1..fast", /is not a rate/],
    ["10ms:5", /lasts at least 100ms/],
    ["1s:200M", /at most 100000000/],
    ["10s:0,10s:0", /never sends anything/],
    ["200h:5", /at most 1000 stages of at most 168h/],
  ] as const) {
    test(`are refused with what is allowed: "${text}"`, () => {
      assert.throws(() => parseStages(text), { name: UnitError.name, message: problem });
    });
  }
});

describe("a condition that ends a run", () => {
  test("has a time in which it holds, by default one second", () => {
    assert.deepEqual(parseAbort("p99>50ms:5s"), {
      expression: "p99>50ms:5s",
      metric: "p99",
      operator: ">",
      value: 50_000,
      forMs: 5000,
    });
    assert.deepEqual(
      [parseAbort("errors >= 10").value, parseAbort("rate<1k : 2s").value, parseAbort("closed>0").forMs],
      [10, 1000, 1000],
    );
  });

  for (const text of ["p98>5ms", "p99=5ms", "p99>5", "p99>5ms:", "p99>5ms:soon", "rate>fast"]) {
    test(`is refused with what is allowed: ${text}`, () => {
      assert.throws(() => parseAbort(text), UnitError);
    });
  }
});
