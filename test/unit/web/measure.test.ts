import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRoundTrips } from "../../../src/web/console/round-trips.ts";
import { startFlood } from "../../../src/web/flood/flood.ts";
import { createHistogram } from "../../../src/web/ui/histogram.ts";
import type { MessageData } from "../../../src/web/websocket/payload.ts";

/** The naive version: sort all values and take the one at the rank. */
function naiveQuantile(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] ?? 0;
}

test("the histogram agrees with sorting, within its 3.2 %", () => {
  const values = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, quantile) => {
      const histogram = createHistogram();
      for (const value of list) {
        histogram.record(value);
      }
      const exact = naiveQuantile(list, quantile);
      const told = histogram.valueAt(quantile);
      assert.ok(told >= exact && told <= exact * 1.032 + 1, `${told} for ${exact}`);
      assert.equal(histogram.max(), Math.max(...list));
      assert.equal(histogram.count(), list.length);
    }),
  );
});

test("the histogram's bars join without gaps and count everything once", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1 }), (list) => {
      const histogram = createHistogram();
      for (const value of list) {
        histogram.record(value);
      }
      const bars = histogram.bars();
      assert.equal(
        bars.reduce((sum, bar) => sum + bar.count, 0),
        list.length,
      );
      for (const [at, bar] of bars.entries()) {
        assert.equal(bar.count, list.filter((value) => value >= bar.fromUs && value <= bar.toUs).length);
        assert.equal(bars[at + 1]?.fromUs ?? bar.toUs + 1, bar.toUs + 1);
      }
    }),
  );
  assert.deepEqual(createHistogram().bars(), []);
  assert.equal(createHistogram().valueAt(0.5), 0);
});

test("a round trip belongs to the oldest equal message; what was dropped before it is forgotten", () => {
  const trips = createRoundTrips();
  trips.sent("a", 0);
  trips.sent(Uint8Array.of(1, 2), 10);
  trips.sent("a", 20);
  assert.equal(trips.received("a", 5), 5);
  assert.equal(trips.received("not an echo", 6), undefined);
  assert.equal(trips.received(Uint8Array.of(1, 3), 15), undefined);
  assert.equal(trips.outstanding(), 2);
  assert.equal(trips.received("a", 50), 30);
  assert.equal(trips.outstanding(), 0);
  assert.equal(trips.received(Uint8Array.of(1, 2), 60), undefined);
});

/** An echo server on a clock of its own: each message comes back after a fixed time, when `step` gets there. */
function virtualEcho(latencyMs: number) {
  let nowMs = 0;
  let closedWith: readonly [number, string] | undefined;
  const queue: { readonly data: MessageData; readonly dueMs: number }[] = [];
  let peak = 0;
  return {
    socket: {
      bufferedAmount: 0,
      send(data: MessageData) {
        queue.push({ data, dueMs: nowMs + latencyMs });
        peak = Math.max(peak, queue.length);
      },
      close: (code: number, reason: string) => {
        closedWith = [code, reason];
      },
    },
    now: () => nowMs,
    peak: () => peak,
    closedWith: () => closedWith,
    wait(durationMs: number) {
      nowMs += durationMs;
    },
    /** Delivers the next echo; false when there is none. */
    step(received: (data: unknown) => void): boolean {
      const next = queue.shift();
      if (next === undefined) {
        return false;
      }
      nowMs = Math.max(nowMs, next.dueMs);
      received(next.data);
      return true;
    },
  };
}

test("a flood sends exactly what was asked, keeps its depth, measures, and closes with 1000", () => {
  const echo = virtualEcho(5);
  const flood = startFlood({ payload: "x", depth: 4, stopAfter: { messages: 103 } }, echo.socket, echo.now);
  flood.opened();
  while (echo.step(flood.received)) {
    // Each step echoes what is in flight.
  }
  const progress = flood.progress();
  assert.deepEqual([progress.sent, progress.echoed, progress.wrong, progress.end], [103, 103, 0, "done"]);
  assert.equal(echo.peak(), 4);
  assert.equal(progress.histogram.valueAt(0.5), 5000);
  assert.equal(progress.elapsedMs, 5 * Math.ceil(103 / 4));
  assert.equal(echo.closedWith()?.[0], 1000);
});

test("a flood for a time stops sending then, and waits for what is in flight", () => {
  const echo = virtualEcho(10);
  const flood = startFlood({ payload: "x", depth: 2, stopAfter: { seconds: 1 } }, echo.socket, echo.now);
  flood.opened();
  while (echo.step(flood.received)) {
    // Each step echoes what is in flight.
  }
  const progress = flood.progress();
  assert.equal(progress.end, "done");
  assert.equal(progress.echoed, progress.sent);
  assert.equal(progress.sent, 200);
});

test("a flood whose echoes stop gives up after ten seconds and says how many are missing", () => {
  const echo = virtualEcho(1);
  const flood = startFlood({ payload: "x", depth: 8, stopAfter: { messages: 100 } }, echo.socket, echo.now);
  flood.opened();
  echo.step(flood.received);
  echo.wait(9_000);
  flood.tick();
  assert.equal(flood.progress().end, "running");
  echo.wait(2_000);
  flood.tick();
  const progress = flood.progress();
  assert.equal(progress.end, "stalled");
  assert.equal(progress.sent - progress.echoed, 8);
});

test("a flood counts replies that are not echoes, and keeps the close code", () => {
  const echo = virtualEcho(1);
  const flood = startFlood({ payload: "xx", depth: 1, stopAfter: { messages: 3 } }, echo.socket, echo.now);
  flood.opened();
  flood.received("other length");
  flood.received(new ArrayBuffer(2));
  flood.closed(1006);
  const progress = flood.progress();
  assert.deepEqual([progress.wrong, progress.end, progress.closeCode], [2, "closed", 1006]);
});
