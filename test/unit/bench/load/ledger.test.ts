import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Ledger } from "../../../../bench/load/ledger.ts";
import type { Interval } from "../../../../bench/load/recorder.ts";
import { Tally } from "../../../../bench/load/tally.ts";

const second = 1e9;
/** A warm-up of a second and a quarter, and the step that counts. */
const window = { startNs: 1 * second, fromNs: 2.25 * second, untilNs: 4.75 * second };
const steps = [
  { fromNs: window.startNs, untilNs: window.fromNs },
  { fromNs: window.fromNs, untilNs: window.untilNs },
];

/** One message: due, sent a little later, answered later still (or never). */
const message = fc.record({
  dueNs: fc.integer({ min: window.startNs, max: window.untilNs - 1 }),
  lateNs: fc.nat(5_000_000),
  serviceNs: fc.option(fc.integer({ min: 100, max: 2 * second }), { freq: 10 }),
});

interface Event {
  readonly atNs: number;
  readonly apply: (ledger: Ledger) => void;
}

/** An interval with the number of its step. */
type Entry = readonly [step: number, interval: Interval];

function ledgerFor(isOpenLoop: boolean, onEntry: (entry: Entry) => void): Ledger {
  const ledger = new Ledger(isOpenLoop, 0, (step, interval) => onEntry([step, interval]));
  ledger.begin(steps);
  return ledger;
}

/** Feeds messages to a ledger in the order in which their events happen. */
function record(messages: readonly { dueNs: number; lateNs: number; serviceNs: number | null }[]): Entry[] {
  const entries: Entry[] = [];
  const ledger = ledgerFor(true, (entry) => entries.push(entry));
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
    event.apply(ledger);
  }
  for (const { dueNs, serviceNs } of messages) {
    if (serviceNs === null) {
      ledger.lost(dueNs, 1);
    }
  }
  ledger.finish(10 * second);
  return entries;
}

const report = {
  kind: "interval",
  group: 0,
  cpuNs: 1,
  openConnections: 1,
  absentClients: 0,
  errors: {},
} as const;

/** The figures of the second step. */
function tallyOf(entries: readonly Entry[]): Tally {
  const tally = new Tally(window.fromNs, 1);
  for (const [step, interval] of entries) {
    if (step === 1) {
      tally.add(0, { ...report, step, interval });
    }
  }
  return tally;
}

/** A figure of a histogram with three digits may be off by a thousandth, and by one unit of 64 ns. */
function assertClose(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 64 + expected / 1000, `${what}: ${actual} is not ${expected}`);
}

describe("Ledger", () => {
  test("agrees with a naive ledger on counts and times", () => {
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
        assert.equal(tally.counters.sent, mine.length);
        assert.equal(tally.counters.answered, answered.length);
        assert.equal(tally.counters.lost, mine.length - answered.length);
        assert.equal(tally.counters.received, arrivals.length);
        assert.equal(tally.counters.receivedBytes, 64 * arrivals.length);
        assert.equal(tally.times("lag").histogram.totalCount, mine.length);
        if (answered.length > 0) {
          assert.equal(tally.times("latency").minNs, latencies[0]);
          assert.equal(tally.times("latency").maxNs, latencies.at(-1));
          const middle = Math.ceil(latencies.length / 2) - 1;
          assertClose(
            tally.times("latency").histogram.getValueAtPercentile(50),
            latencies[middle] ?? 0,
            "latency p50",
          );
          assertClose(
            tally.times("service").histogram.getValueAtPercentile(50),
            services[middle] ?? 0,
            "service p50",
          );
        }
      }),
    );
  });

  test("makes intervals that adjoin, of whole seconds from the start of each step", () => {
    assert.deepEqual(
      record([]).map(([step, { startNs, endNs }]) => [step, startNs / second, endNs / second]),
      [
        [-1, 0, 1],
        [0, 1, 2],
        [0, 2, 2.25],
        [1, 2.25, 3.25],
        [1, 3.25, 4.25],
        [1, 4.25, 4.75],
      ],
    );
  });

  test("counts nothing that was due in the warm-up, in any figure of the window's messages", () => {
    const tally = tallyOf(record([{ dueNs: 2.2 * second, lateNs: 0, serviceNs: 1000 }]));
    assert.deepEqual(
      [
        tally.counters.sent,
        tally.counters.answered,
        tally.counters.received,
        tally.times("latency").histogram.totalCount,
      ],
      [0, 0, 0, 0],
    );
  });

  test("keeps the latency of a reply that comes after the window, but not its arrival", () => {
    const tally = tallyOf(record([{ dueNs: 4.7 * second, lateNs: 0, serviceNs: second }]));
    assert.deepEqual([tally.counters.answered, tally.counters.received], [1, 0]);
    assert.equal(tally.times("latency").maxNs, second);
  });

  test("cut short, ends the step at once", () => {
    const entries: Entry[] = [];
    const ledger = ledgerFor(false, (entry) => entries.push(entry));
    ledger.cutShort(3.5 * second);
    ledger.sent(3.6 * second, 1);
    ledger.finish(5 * second);
    assert.equal(ledger.untilNs, 3.5 * second);
    const last = entries.at(-1)?.[1];
    assert.deepEqual([last?.phase, last?.endNs, last?.counters.sent], ["step", 3.5 * second, 0]);
  });

  test("counts more records than 32 bits hold, once they are added up", () => {
    const tally = new Tally(window.fromNs, 1);
    for (let i = 0; i < 5; i += 1) {
      const ledger = ledgerFor(false, ([step, interval]) => tally.add(0, { ...report, step, interval }));
      ledger.answered(3 * second, 3 * second, 3 * second + 1000, 2 ** 30);
      ledger.finish(10 * second);
    }
    assert.equal(tally.times("latency").histogram.totalCount, 5 * 2 ** 30);
    assertClose(tally.times("latency").histogram.getValueAtPercentile(99), 1000, "p99");
  });
});
