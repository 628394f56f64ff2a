import assert from "node:assert/strict";
import { test } from "node:test";
import { boundedSeries } from "../../../../bench/measure/intervals.ts";
import type { Second } from "../../../../bench/result/schema.ts";
import { exampleResult } from "../../../support/result.ts";

/** So many seconds; the changes are those of each by its number, from 1. */
function secondsOf(count: number, change: (second: number) => Partial<Second> = () => ({})): Second[] {
  const [example] = exampleResult().series;
  assert.ok(example !== undefined);
  return Array.from({ length: count }, (_, index) => ({
    ...example,
    endSeconds: index + 1,
    ...change(index + 1),
  }));
}

test("an hour is kept second by second", () => {
  const series = secondsOf(3600);
  assert.deepEqual(boundedSeries(series), series);
});

test("a day is folded into at most 3600 entries, which cover all of it", () => {
  const folded = boundedSeries(secondsOf(86_400));
  assert.equal(folded.length, 3600);
  assert.equal(folded[0]?.endSeconds, 24);
  assert.equal(folded.at(-1)?.endSeconds, 86_400);
});

test("where seconds are folded, rates and CPU are means, and latencies and memory those of the worst", () => {
  const [first] = boundedSeries(
    secondsOf(7200, (second) => ({
      messagesPerSecond: second === 1 ? 100 : 300,
      p99Us: second === 1 ? 900 : 10,
      clientCpuPercent: second === 1 ? 20 : 40,
      serverRssBytes: second === 1 ? 7 : 5,
    })),
  );
  assert.deepEqual(
    [first?.messagesPerSecond, first?.p99Us, first?.clientCpuPercent, first?.serverRssBytes],
    [200, 900, 30, 7],
  );
});

test("a figure that one second lacks comes from the others; one that all lack stays unknown", () => {
  const [first] = boundedSeries(
    secondsOf(7200, (second) => ({ serverCpuPercent: second === 1 ? null : 60, p50Us: null })),
  );
  assert.deepEqual([first?.serverCpuPercent, first?.p50Us], [60, null]);
});

test("a last entry of fewer seconds is kept", () => {
  const folded = boundedSeries(secondsOf(3601));
  assert.equal(folded.length, 1801);
  assert.equal(folded.at(-1)?.endSeconds, 3601);
});
