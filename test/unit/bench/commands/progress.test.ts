import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createPlainLines,
  describeChecks,
  describeProgress,
  describeSession,
  fitLine,
} from "../../../../bench/commands/progress.ts";
import type { Progress } from "../../../../bench/measure/measure.ts";

const progress: Progress = {
  phase: "warmup",
  openConnections: 64,
  requestedConnections: 64,
  messagesPerSecond: null,
  p50Us: null,
  p99Us: null,
  errorCount: 0,
  leftMs: 11_200,
  totalMs: 12_000,
};

test("the warm-up shows its rate once a second of it is over, and none before", () => {
  assert.equal(describeProgress(progress), "warmup 12 s left, 64 connections, 0 errors");
  assert.equal(
    describeProgress({ ...progress, messagesPerSecond: 412_000 }),
    "warmup 12 s left, 412,000/s, 64 connections, 0 errors",
  );
});

test("without a terminal there is a plain line every ten seconds, and none for a short run", () => {
  const lines: string[] = [];
  let nowMs = 5000;
  const plain = createPlainLines(
    (line) => lines.push(line),
    () => nowMs,
    describeProgress,
  );
  for (; nowMs < 14_900; nowMs += 100) {
    plain.show(progress);
  }
  assert.deepEqual(lines, []);
  for (; nowMs < 30_000; nowMs += 100) {
    plain.show({ ...progress, phase: "measure" });
  }
  plain.end();
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^measure 12 s left/);
});

test("the live line fits the terminal: with a shorter bar, then with fewer figures, and always the errors", () => {
  const text = describeProgress({
    ...progress,
    phase: "measure",
    leftMs: 7400,
    messagesPerSecond: 412_000,
    p50Us: 140,
    p99Us: 1310,
  });
  assert.equal(fitLine(0.25, text, 100), `#####............... ${text}`);
  assert.equal(fitLine(0.25, text, 90), `###....... ${text}`);
  assert.equal(
    fitLine(0, text, 80),
    ".......... measure 8 s left, 412,000/s, p50 140 us, p99 1.31 ms, 0 errors",
  );
  assert.equal(fitLine(1, text, 50), "########## measure 8 s left, 412,000/s, 0 errors");
  assert.equal(fitLine(1, text, 20), "measure 8 s left, 0");
  for (let columns = 10; columns < 120; columns += 1) {
    assert.ok(fitLine(0.5, text, columns).length < columns, String(columns));
  }
  assert.equal(fitLine(0.5, "one part", 80), "##########.......... one part");
});

test("a session shows its step and how long is left of all steps", () => {
  const { messagesPerSecond, p50Us, p99Us } = progress;
  const session = {
    phase: "step",
    step: "hold 2000",
    openConnections: 2000,
    messagesPerSecond,
    p50Us,
    p99Us,
    errorCount: 0,
    leftMs: 97_400,
    totalMs: 120_000,
  } as const;
  assert.equal(describeSession(session), "hold 2000: 1 min 38 s left, 2,000 connections, 0 errors");
});

test("the line of checks says which one runs, and then what is waited for", () => {
  const live = { all: 41, leftMs: 52_400, totalMs: 67_000 };
  assert.equal(describeChecks({ ...live, done: 11 }), "check 12 of 41, 53 s left");
  assert.equal(describeChecks({ ...live, done: 41 }), "idle connections, 41 of 41 checks done, 53 s left");
});
