import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addEnded,
  addStats,
  closeCodes,
  countClose,
  countHttp,
  countRejection,
  countTermination,
  createStats,
  firstGauge,
  httpCodes,
  httpSlot,
  messageSizeBounds,
  messageSizeBucket,
  observe,
  rejectionReasons,
  routes,
  type Stats,
  slot,
  sumSlots,
  terminationReasons,
} from "../../../src/metrics/counters.ts";

/** What messageSizeBucket stands for: the first bound that a message fits into. */
function bucketBySearch(bytes: number): number {
  const found = messageSizeBounds.findIndex((bound) => bytes <= bound);
  return found < 0 ? messageSizeBounds.length : found;
}

test("the bucket of a message is the one that a search finds, around every bound", () => {
  for (const bound of [0, 1, ...messageSizeBounds, 2 ** 30, 2 ** 31 - 1]) {
    for (const bytes of [bound - 1, bound, bound + 1].filter((each) => each >= 0 && each < 2 ** 31)) {
      assert.equal(messageSizeBucket(bytes), bucketBySearch(bytes), `${bytes} bytes`);
    }
  }
});

test("the bucket of a message is the one that a search finds, at any size", () => {
  const bytes = fc.oneof(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 100_000 }));
  fc.assert(
    fc.property(bytes, (each) => assert.equal(messageSizeBucket(each), bucketBySearch(each))),
    { numRuns: 2000 },
  );
});

test("no two counts share a slot", () => {
  const lengths: Partial<Record<keyof typeof slot, number>> = {
    textMessages: messageSizeBounds.length + 1,
    binaryMessages: messageSizeBounds.length + 1,
    connectionsClosed: closeCodes.length,
    connectionsTerminated: terminationReasons.length,
    upgradesRejected: rejectionReasons.length,
    httpRequests: routes.length * httpCodes.length,
  };
  const starts = Object.values(slot).sort((a, b) => a - b);
  for (const [name, length] of Object.entries(lengths)) {
    const start = slot[name as keyof typeof slot];
    const next = starts.find((each) => each > start) ?? createStats().length;
    assert.ok(next - start >= length, name);
  }
  assert.equal(new Set(starts).size, starts.length);
  assert.ok(Math.max(...starts) < createStats().length);
});

test("gauges come after all counters", () => {
  const gauges: readonly number[] = [
    slot.connections,
    slot.bufferedBytes,
    slot.backpressuredConnections,
    slot.sockets,
    slot.workersReady,
    slot.uploads,
    slot.httpAnswersWaiting,
    slot.tlsHeldBytes,
    slot.tlsPendingHandshakes,
    slot.endpointConnections,
    slot.delayedMessages,
    slot.delayedBytes,
    slot.http2Sessions,
    slot.http2Streams,
  ];
  for (const [name, index] of Object.entries(slot)) {
    assert.equal(index >= firstGauge, gauges.includes(index), name);
  }
});

test("the counters of a worker that died stay in the sum, its gauges do not, and what it had open is closed", () => {
  const worker = createStats();
  worker.fill(3);
  const past = createStats();
  addEnded(past, worker);
  addEnded(past, worker);
  const lost = slot.connectionsClosed + closeCodes.indexOf("1006");
  assert.deepEqual(
    [...past],
    [...past.keys()].map((index) => (index === lost ? 12 : index < firstGauge ? 6 : 0)),
  );
  const sum = createStats();
  addStats(sum, past);
  addStats(sum, worker);
  assert.deepEqual(
    [...sum],
    [...sum.keys()].map((index) => (index === lost ? 15 : index < firstGauge ? 9 : 3)),
  );
});

function labelOf(labels: readonly string[], stats: Stats, first: number): string[] {
  return labels.filter((_, i) => stats[first + i] === 1);
}

test("a close is counted under its code, or under the range that keeps the label bounded", () => {
  const cases = {
    1000: "1000",
    1005: "1005",
    1006: "1006",
    1014: "1014",
    1004: "other",
    1015: "other",
    2999: "other",
    3000: "3xxx",
    3999: "3xxx",
    4000: "4xxx",
    4999: "4xxx",
    5000: "other",
    0: "1005",
  };
  for (const [code, label] of Object.entries(cases)) {
    const stats = createStats();
    countClose(stats, Number(code));
    assert.deepEqual(labelOf(closeCodes, stats, slot.connectionsClosed), [label], code);
    assert.equal(sumSlots(stats, 0, stats.length), 1);
  }
});

test("every reason, route and code has a slot of its own", () => {
  for (const reason of terminationReasons) {
    const stats = createStats();
    countTermination(stats, reason);
    assert.deepEqual(labelOf(terminationReasons, stats, slot.connectionsTerminated), [reason]);
  }
  for (const reason of rejectionReasons) {
    const stats = createStats();
    countRejection(stats, reason);
    assert.deepEqual(labelOf(rejectionReasons, stats, slot.upgradesRejected), [reason]);
  }
  const stats = createStats();
  for (const route of routes) {
    for (const code of httpCodes) {
      countHttp(stats, route, code === "other" ? 418 : code);
    }
  }
  for (const route of routes) {
    for (const code of httpCodes) {
      assert.equal(stats[httpSlot(route, code)], 1);
    }
  }
  assert.equal(sumSlots(stats, 0, stats.length), routes.length * httpCodes.length);
});

test("a value is observed in the bucket whose bound it does not exceed", () => {
  const bounds = [1, 10, 100];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 })), (values) => {
      const stats = createStats();
      for (const value of values) {
        observe(stats, 0, 10, bounds, value);
      }
      const expected = [0, 0, 0, 0];
      for (const value of values) {
        const at = value <= 1 ? 0 : value <= 10 ? 1 : value <= 100 ? 2 : 3;
        expected[at] = (expected[at] ?? 0) + 1;
      }
      assert.deepEqual([...stats.subarray(0, 4)], expected);
      assert.equal(
        stats[10],
        values.reduce((sum, value) => sum + value, 0),
      );
    }),
  );
});
