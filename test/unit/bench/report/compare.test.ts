import assert from "node:assert/strict";
import { test } from "node:test";
import { formatComparison } from "../../../../bench/report/compare.ts";
import type { Comparison } from "../../../../bench/result/comparison.ts";
import { exampleComparison } from "../../../support/comparison.ts";

/** B does half of what A does; p99 is the same, and no CPU time is known. */
function comparisonOf(target: string): Comparison {
  const arms = [
    { name: "A", target },
    { name: "B", target },
  ];
  return {
    ...exampleComparison(arms, (arm, round) => ({
      serverCpuUsPerMessage: null,
      messagesPerSecond: 100_000 / (arm + 1) + round,
      p50Us: 100 * (arm + 1),
      p99Us: 200,
      p999Us: 300,
    })),
    warnings: ["Only 3 rounds."],
  };
}

test("a comparison names both arms, and says of each known figure what may be concluded", () => {
  const text = formatComparison(comparisonOf("node server.js {port}"));
  assert.match(text, /^baseline {3}A: node server\.js/);
  assert.match(text, /3 ABBA rounds, a fresh process each time: 64 connections x 16 in flight/);
  assert.match(text, /^messages per second +100,002 \(100,001 to 100,003\) .* 0\.500 .* B lower by 50 %$/m);
  assert.match(text, /^latency p50 .* B higher by 100 %$/m);
  assert.match(text, /^latency p99 .* no difference shown$/m);
  assert.match(text, /^! Only 3 rounds\.$/m);
  assert.doesNotMatch(text, /server CPU|undefined|NaN|null/);
});

test("targets that are URLs are said to be one process", () => {
  const text = formatComparison(comparisonOf("ws://127.0.0.1:1/echo"));
  assert.doesNotMatch(text, /fresh process/);
  assert.match(text, /A URL is the same process each time/);
});
