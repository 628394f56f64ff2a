// Generators on a virtual clock, up to what they report: every message that was due ends up somewhere.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Crew } from "../../../../bench/load/crew.ts";
import { type Tally, useTimes } from "../../../../bench/load/tally.ts";
import { planThreads } from "../../../../bench/measure/plan.ts";
import { sessionOf, type WebSocketScenario } from "../../../../bench/measure/scenario.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";
import { createVirtualWorld, exampleScenario, type VirtualTarget } from "../../../support/virtual-world.ts";

const ms = 1e6;
const fixed20Ms: VirtualTarget = { replyAtNs: (sentNs) => sentNs + 20 * ms };
const open1000: Partial<WebSocketScenario> = {
  loop: { kind: "open", ratePerSecond: 1000, arrivals: "even" },
};

/** Connects, and puts load on a window of two seconds after one second of warm-up. */
async function load(
  changes: Partial<WebSocketScenario>,
  target: VirtualTarget,
  options: { clock?: VirtualClock; timeoutMs?: number } = {},
) {
  const { clock = new VirtualClock(), timeoutMs = 1000 } = options;
  const example = exampleScenario(changes);
  const scenario = { ...example, endpoint: { ...example.endpoint, timeoutMs } };
  const { startThread } = createVirtualWorld(clock, target);
  const plans = planThreads(sessionOf({ ...scenario, durationMs: 2000 }), { overIpv4Loopback: false });
  const crew = new Crew(
    plans.map((plan) => (events) => startThread(plan, events)),
    { groups: 1, fromNs: clock.nowNs() },
  );
  await clock.runUntil(crew.connected);
  const connectedNs = clock.nowNs();
  crew.begin(connectedNs + 20 * ms, [1000, 2000]);
  await clock.runUntil(crew.done);
  return {
    crew,
    tally: crew.tally(0, 1),
    dispersion: crew.stepTally(1)?.groups[0]?.dispersion,
    connectedNs,
    endedNs: clock.nowNs(),
  };
}

/** How often something was timed on a group's connections, and the longest time. */
function timesOf(tallies: readonly Tally[], name: Parameters<Tally["times"]>[0]) {
  return useTimes(tallies, name, ({ histogram, maxNs }) => ({ count: histogram.totalCount, maxNs }));
}

describe("an open loop", () => {
  test("sleeps until a message is due, however near that is", async () => {
    const clock = new VirtualClock();
    await load(open1000, fixed20Ms, { clock });
    assert.ok(clock.soonCalls < 100, `${clock.soonCalls} turns for 3000 messages`);
  });

  test("counts messages that the target does not accept as unsent, with the time they have waited", async () => {
    let taken = 0;
    const target: VirtualTarget = {
      replyAtNs: (sentNs) => sentNs + ms,
      isClogged: (nowNs) => taken >= (nowNs - 1000 * ms) / (2 * ms), // takes 500 messages/s at most
      onSend: () => {
        taken += 1;
      },
    };
    const { tally } = await load(open1000, target);
    const { sent, unsent, answered } = tally.counters;
    assert.equal(sent + unsent, 2000);
    assert.ok(unsent > 900, `${unsent} unsent`);
    assert.equal(sent, answered);
    assert.equal(tally.times("latency").histogram.totalCount, 2000);
    assert.equal(tally.times("unsentLatency").histogram.totalCount, unsent);
    assert.ok(tally.times("latency").histogram.getValueAtPercentile(99) > 900 * ms);
  });

  test("sends messages that are due at the very end, although it wakes up after it", async () => {
    const { tally } = await load(
      { loop: { kind: "open", ratePerSecond: 50_000, arrivals: "even" } },
      fixed20Ms,
    );
    assert.equal(tally.counters.sent, 100_000);
    assert.equal(tally.counters.unsent, 0);
  });

  test("measures how evenly it sent", async () => {
    const even = await load(open1000, fixed20Ms);
    assert.ok((even.dispersion ?? 9) < 0.05, `${even.dispersion}`);
    const poisson = await load(
      { loop: { kind: "open", ratePerSecond: 5000, arrivals: "poisson" } },
      fixed20Ms,
    );
    assert.ok(Math.abs((poisson.dispersion ?? 9) - 1) < 0.4, `${poisson.dispersion}`);
  });
});

describe("a reply that comes after the time-out", () => {
  const slowFrom100: VirtualTarget = {
    replyAtNs: (sentNs, connection, sequence) =>
      sentNs + (connection === 3 && sequence === 100 ? 1500 : 20) * ms,
  };

  test("is lost, and not taken for the reply to a later message", async () => {
    const { tally, crew } = await load({}, slowFrom100);
    assert.equal(tally.counters.lost, 1);
    assert.equal(tally.counters.sent, tally.counters.answered + 1);
    assert.equal(tally.times("latency").maxNs, 20 * ms);
    assert.deepEqual(crew.errors, {});
  });

  test("is counted as lost when the time is over, not at the end of the window", async () => {
    const target: VirtualTarget = {
      replyAtNs: (sentNs, connection) => (connection === 3 ? undefined : sentNs + 20 * ms),
    };
    const { tally, endedNs, connectedNs } = await load({}, target, { timeoutMs: 200 });
    assert.equal(tally.counters.lost, 0); // it was sent in the warm-up, and its connection hangs since
    assert.ok(endedNs - connectedNs < 3200 * ms);
  });
});

describe("connecting", () => {
  test("at a pace does not wait for handshakes, and records how long each took", async () => {
    const { crew, connectedNs } = await load(
      { connections: 600, connectionsPerSecond: 2000 },
      { ...fixed20Ms, handshakeNs: 1000 * ms },
    );
    const tallies = crew.tallies(0);
    assert.ok(connectedNs < 1000 * ms + 1350 * ms, `${connectedNs / ms} ms`);
    assert.deepEqual(timesOf(tallies, "open"), { count: 600, maxNs: 1000 * ms });
    assert.deepEqual(timesOf(tallies, "firstEcho"), { count: 600, maxNs: 20 * ms });
    assert.ok(timesOf(tallies, "connectLag").maxNs < ms);
  });

  test("gives up on a target that never answers within the time-out", async () => {
    const clock = new VirtualClock();
    const { crew, connectedNs } = await load(
      { connections: 600 },
      { ...fixed20Ms, handshakeNs: 2000 * ms, refuses: () => true, refusal: "handshake-timeout" },
      { clock, timeoutMs: 2000 },
    );
    assert.ok(connectedNs <= 3100 * ms, `${connectedNs / ms} ms`);
    assert.equal(crew.failed, 600);
    assert.equal(crew.errors["handshake-timeout"]?.count, 128);
    assert.equal(crew.errors["not-tried"]?.count, 472);
  });

  test("by several threads keeps the requested pace", async () => {
    const { connectedNs } = await load({ connections: 60, connectionsPerSecond: 100, threads: 3 }, fixed20Ms);
    assert.ok(connectedNs > 1000 * ms + 580 * ms, `${connectedNs / ms} ms`);
  });
});
