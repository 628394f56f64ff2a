import assert from "node:assert/strict";
import { test } from "node:test";
import { describeProgress } from "../../../../bench/commands/progress.ts";
import { shareOf } from "../../../../bench/load/arrivals.ts";
import { planThreads } from "../../../../bench/measure/plan.ts";
import { partOf, sessionOf, type WebSocketScenario } from "../../../../bench/measure/scenario.ts";
import { exampleScenario } from "../../../support/virtual-world.ts";

function plansOf(changes: Partial<WebSocketScenario>, overIpv4Loopback = false) {
  return planThreads(sessionOf(exampleScenario(changes)), { overIpv4Loopback });
}

test("spreads all connections evenly over threads", () => {
  const plans = plansOf({ connections: 11, threads: 3 });
  assert.deepEqual(
    plans.map((plan) => plan.thread),
    [0, 1, 2].map((index) => ({ index, count: 3 })),
  );
  assert.deepEqual(
    plans.map((plan) => shareOf(11, plan.thread)),
    [4, 4, 3],
  );
});

test("the parts of a load add up to its totals", () => {
  const whole = exampleScenario({
    connections: 11,
    connectionsPerSecond: 90,
    loop: { kind: "open", ratePerSecond: 1500, arrivals: "even" },
    stages: [{ name: "up", durationMs: 1000, from: 0, to: 3000 }],
    probe: { connections: 4, ratePerSecond: 60 },
  });
  const parts = [1, 2, 3].map((number) => partOf(whole, { number, of: 3 }));
  assert.deepEqual(
    parts.map(({ part, connections, probe }) => [part?.number, connections, probe?.connections]),
    [
      [1, 4, 2],
      [2, 4, 1],
      [3, 3, 1],
    ],
  );
  for (const { connectionsPerSecond, loop, stages, probe } of parts) {
    assert.equal(connectionsPerSecond, 30);
    assert.equal(loop.kind === "open" && loop.ratePerSecond, 500);
    assert.deepEqual(stages, [{ name: "up", durationMs: 1000, from: 0, to: 1000 }]);
    assert.equal(probe?.ratePerSecond, 20);
  }
});

test("a probe has a thread for itself, and the load has the others", () => {
  const plans = plansOf({ connections: 11, threads: 2, probe: { connections: 4, ratePerSecond: 50 } }, false);
  assert.deepEqual(
    plans.map(({ thread, groups }) => [thread, groups.map(({ population }) => population.size[0]?.to)]),
    [
      [{ index: 0, count: 2 }, [11, 0]],
      [{ index: 1, count: 2 }, [11, 0]],
      [{ index: 0, count: 1 }, [0, 4]],
    ],
  );
});

test("more connections than one address has ports for come from several loopback addresses", () => {
  const addresses = (connections: number, isLoopback: boolean) =>
    plansOf({ connections }, isLoopback)[0]?.groups[0]?.localAddresses;
  assert.deepEqual(addresses(50_000, true), ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
  assert.deepEqual(addresses(50_000, false), []);
  assert.deepEqual(addresses(10, true), []);
  // Parts of one load share the addresses.
  const third = plansOf({ connections: 20_000, part: { number: 2, of: 3 } }, true);
  assert.deepEqual(third[0]?.groups[0]?.localAddresses, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
});

test("describes the progress in one line", () => {
  const progress = {
    phase: "measure" as const,
    openConnections: 64,
    requestedConnections: 64,
    messagesPerSecond: 411_999.6,
    p50Us: 140,
    p99Us: 1310,
    errorCount: 0,
    leftMs: 7400,
    totalMs: 12_000,
  };
  assert.equal(
    describeProgress(progress),
    "measure 8 s left, 412,000/s, p50 140 us, p99 1.31 ms, 64 connections, 0 errors",
  );
  assert.equal(
    describeProgress({ ...progress, phase: "connect", openConnections: 7 }),
    "connect 7 of 64, 0 errors",
  );
  assert.equal(
    describeProgress({ ...progress, phase: "wait", leftMs: 20_900 }),
    "wait 9 s for the start, 64 connections, 0 errors",
  );
});
