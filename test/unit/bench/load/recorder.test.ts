import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Interval, Recorder, type Window } from "../../../../bench/load/recorder.ts";
import { Tally } from "../../../../bench/load/tally.ts";

const second = 1e9;
const window: Window = { startNs: 1 * second, fromNs: 2.25 * second, untilNs: 4.75 * second };

/** One message: due, sent a little later, answered later still (or never). */
const message = fc.record({
  dueNs: fc.integer({ min: window.startNs, max: window.untilNs - 1 }),
  lateNs: fc.nat(5_000_000),
  serviceNs: fc.option(fc.integer({ min: 100, max: 2 * second }), { freq: 10 }),
});

interface Event {
  readonly atNs: number;
  readonly apply: (recorder: Recorder) => void;
}

/** Feeds messages to a recorder in the order in which their events happen. */
function record(
  messages: readonly { dueNs: number; lateNs: number; serviceNs: number | null }[],
): Interval[] {
  const intervals: Interval[] = [];
  const recorder = new Recorder(window, "open", (interval) => intervals.push(interval));
  const events: Event[] = messages.flatMap(({ dueNs, lateNs, serviceNs }) => {
    const sentNs = dueNs + lateNs;
    const sent: Event = {
      atNs: sentNs,
      apply: (r) => {
        r.sent(dueNs, 1);
        r.lag(dueNs, sentNs);
      },
    };
    const answeredNs = sentNs + (serviceNs ?? 0);
    const answered: Event = {
      atNs: answeredNs,
      apply: (r) => {
        r.arrived(answeredNs, 1, 64);
        r.answered(dueNs, sentNs, answeredNs, 1);
      },
    };
    return serviceNs === null ? [sent] : [sent, answered];
  });
  for (const event of events.sort((a, b) => a.atNs - b.atNs)) {
    event.apply(recorder);
  }
  for (const { dueNs, serviceNs } of messages) {
    if (serviceNs === null) {
      recorder.lost(dueNs, 1);
    }
  }
  recorder.finish(10 * second);
  return intervals;
}

function tallyOf(intervals: readonly Interval[]): Tally {
  const tally = new Tally(window.fromNs, 1);
  for (const interval of intervals) {
    tally.add(0, { kind: "interval", interval, cpuNs: 1, openConnections: 1, errors: {} });
  }
  return tally;
}

/** A figure of a histogram with three digits may be off by a thousandth, and by one unit of 64 ns. */
function assertClose(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 64 + expected / 1000, `${what}: ${actual} is not ${expected}`);
}

describe("Recorder", () => {
  test("counts and times what a naive recorder counts and times", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 60 }), (messages) => {
        const tally = tallyOf(record(messages));
        const mine = messages.filter(({ dueNs }) => dueNs >= window.fromNs);
        const answered = mine.filter(({ serviceNs }) => serviceNs !== null);
        const latencies = answered.map((m) => m.lateNs + (m.serviceNs ?? 0)).sort((a, b) => a - b);
        const services = answered.map((m) => m.serviceNs ?? 0).sort((a, b) => a - b);
        const arrivals = messages
          .filter(({ serviceNs }) => serviceNs !== null)
          .map((m) => m.dueNs + m.lateNs + (m.serviceNs ?? 0))
          .filter((atNs) => atNs >= window.fromNs && atNs < window.untilNs);
        assert.equal(tally.sent, mine.length);
        assert.equal(tally.answered, answered.length);
        assert.equal(tally.lost, mine.length - answered.length);
        assert.equal(tally.replies, arrivals.length);
        assert.equal(tally.bytes, 64 * arrivals.length);
        assert.equal(tally.lag.totalCount, mine.length);
        if (answered.length > 0) {
          assert.equal(tally.latency.minNs, latencies[0]);
          assert.equal(tally.latency.maxNs, latencies.at(-1));
          const middle = Math.ceil(latencies.length / 2) - 1;
          assertClose(
            tally.latency.histogram.getValueAtPercentile(50),
            latencies[middle] ?? 0,
            "latency p50",
          );
          assertClose(tally.service.histogram.getValueAtPercentile(50), services[middle] ?? 0, "service p50");
        }
      }),
    );
  });

  test("makes intervals that adjoin, of whole seconds from the start of the window", () => {
    const intervals = record([]);
    assert.deepEqual(
      intervals.map(({ phase, startNs, endNs }) => [phase, startNs / second, endNs / second]),
      [
        ["warmup", 1, 1.25],
        ["warmup", 1.25, 2.25],
        ["measure", 2.25, 3.25],
        ["measure", 3.25, 4.25],
        ["measure", 4.25, 4.75],
        ["drain", 4.75, 10],
      ],
    );
  });

  test("counts nothing that was due in the warm-up, in any figure of the window's messages", () => {
    const tally = tallyOf(record([{ dueNs: 2.2 * second, lateNs: 0, serviceNs: 1000 }]));
    assert.deepEqual(
      [tally.sent, tally.answered, tally.replies, tally.latency.histogram.totalCount],
      [0, 0, 0, 0],
    );
  });

  test("keeps the latency of a reply that comes after the window, but not its arrival", () => {
    const tally = tallyOf(record([{ dueNs: 4.7 * second, lateNs: 0, serviceNs: second }]));
    assert.deepEqual([tally.answered, tally.replies], [1, 0]);
    assert.equal(tally.latency.maxNs, second);
  });

  test("cut short, ends the window there and then", () => {
    const intervals: Interval[] = [];
    const recorder = new Recorder(window, "closed", (interval) => intervals.push(interval));
    recorder.cutShort(3.5 * second);
    recorder.sent(3.6 * second, 1);
    recorder.finish(5 * second);
    assert.equal(recorder.untilNs, 3.5 * second);
    assert.deepEqual(
      intervals.slice(-2).map(({ phase, endNs, sent }) => [phase, endNs / second, sent]),
      [
        ["measure", 3.5, 0],
        ["drain", 5, 0],
      ],
    );
  });

  test("counts more records than 32 bits hold, once they are added up", () => {
    const tally = new Tally(window.fromNs, 1);
    for (let i = 0; i < 5; i += 1) {
      const recorder = new Recorder(window, "closed", (interval) =>
        tally.add(0, { kind: "interval", interval, cpuNs: 1, openConnections: 1, errors: {} }),
      );
      recorder.answered(3 * second, 3 * second, 3 * second + 1000, 2 ** 30);
      recorder.finish(10 * second);
    }
    assert.equal(tally.latency.histogram.totalCount, 5 * 2 ** 30);
    assertClose(tally.latency.histogram.getValueAtPercentile(99), 1000, "p99");
  });
});
