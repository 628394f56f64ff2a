import assert from "node:assert/strict";
import { test } from "node:test";
import { rateLimited, silentLog } from "../../../src/system/log.ts";

type Line = [kind: string, details: object, suppressed: number];

function limiter(intervalMs: number) {
  const clock = { now: 0 };
  const lines: Line[] = [];
  const log = rateLimited(
    intervalMs,
    () => clock.now,
    (...line) => lines.push(line),
  );
  return { clock, lines, log };
}

test("the first line of each kind is written at once", () => {
  const { lines, log } = limiter(1000);
  log("stalled", { address: "a" });
  log("backpressure", { address: "b" });
  assert.deepEqual(lines, [
    ["stalled", { address: "a" }, 0],
    ["backpressure", { address: "b" }, 0],
  ]);
});

test("more of a kind within the interval are held back, and the next line says how many", () => {
  const { clock, lines, log } = limiter(1000);
  for (const at of [0, 1, 500, 999]) {
    clock.now = at;
    log("stalled", { at });
  }
  assert.equal(lines.length, 1);
  clock.now = 1000;
  log("stalled", { at: 1000 });
  assert.deepEqual(lines[1], ["stalled", { at: 1000 }, 3]);
  clock.now = 2000;
  log("stalled", { at: 2000 });
  assert.deepEqual(lines[2], ["stalled", { at: 2000 }, 0]);
});

test("one kind does not hold back another", () => {
  const { lines, log } = limiter(1000);
  for (let i = 0; i < 5; i++) {
    log("stalled", {});
    log("backpressure", {});
  }
  assert.deepEqual(
    lines.map(([kind]) => kind),
    ["stalled", "backpressure"],
  );
});

test("the logger of the library writes nothing at any level", () => {
  const log = silentLog();
  for (const level of ["fatal", "error", "warn", "info", "debug"] as const) {
    assert.equal(log.isLevelEnabled(level), false, level);
  }
});
