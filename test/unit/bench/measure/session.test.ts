// Whole sessions on a virtual clock. Connecting takes a quarter of a millisecond; the timeline begins 20 ms later.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { GroupFigures } from "../../../../bench/measure/figures.ts";
import { runScenario, type SessionOptions, type SessionOutcome } from "../../../../bench/measure/session.ts";
import { parseAbort } from "../../../../bench/scenario/abort.ts";
import { constant } from "../../../../bench/scenario/curve.ts";
import { type Population, steadyPopulation } from "../../../../bench/scenario/population.ts";
import { defaultGuards, type Scenario, type Step } from "../../../../bench/scenario/scenario.ts";
import type { Echo, Traffic } from "../../../../bench/scenario/traffic.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";
import { createVirtualWorld, exampleScenario, type VirtualTarget } from "../../../support/virtual-world.ts";

const ms = 1e6;
const answers: VirtualTarget = { replyAtNs: (sentNs) => sentNs + 20 * ms };
const messages = {
  payloads: [{ content: new Uint8Array(64), weight: 1 }],
  type: "binary",
  verify: "length",
} as const;
const closedLoop: Echo = { kind: "echo", loop: { kind: "closed", depth: 1 }, messages, match: "fifo" };
const never: Partial<Population> = {};
const comesBack: Partial<Population> = {
  reconnect: { kind: "backoff", baseMs: 100, maxMs: 400, jitter: "none" },
};

function stepOf(name: string, durationMs: number, changes: Partial<Step> = {}): Step {
  return { name, durationMs, measured: true, abortIf: [], ...changes };
}

function scenarioOf(population: Population, traffic: Traffic, changes: Partial<Scenario> = {}): Scenario {
  const { payloads, type, verify, ...target } = exampleScenario().endpoint;
  return {
    target: { ...target, engine: "raw" },
    groups: [{ name: "all", population, traffic }],
    timeline: [stepOf("first", 1000), stepOf("second", 1000)],
    guards: defaultGuards(10),
    resources: { threads: 1, seed: 1, part: undefined },
    ...changes,
  };
}

async function outcomeOf(
  scenario: Scenario,
  target: VirtualTarget = answers,
  options: SessionOptions & { clock?: VirtualClock } = {},
): Promise<SessionOutcome> {
  const clock = options.clock ?? new VirtualClock();
  return clock.runUntil(runScenario(scenario, { ...options, world: createVirtualWorld(clock, target) }));
}

/** The figures of the only group, step by step. */
function stepsOf(outcome: SessionOutcome): GroupFigures[] {
  return outcome.steps.map(({ groups }) => {
    const figures = groups["all"];
    assert.ok(figures !== undefined);
    return figures;
  });
}

function countersOf(outcome: SessionOutcome, name: keyof GroupFigures["counters"]): number[] {
  return stepsOf(outcome).map(({ counters }) => counters[name]);
}

describe("a timeline", () => {
  test("counts each message in the step in which it was due, on a ramp by the area under it", async () => {
    const traffic: Traffic = {
      ...closedLoop,
      loop: { kind: "open", rate: [{ durationMs: 2000, from: 0, to: 1000 }], arrivals: "even" },
    };
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(10), traffic));
    assert.deepEqual(countersOf(outcome, "sent"), [250, 750]);
    assert.deepEqual(countersOf(outcome, "answered"), [250, 750]);
    assert.deepEqual(
      outcome.steps.map(({ name, fromMs, untilMs, complete }) => [name, fromMs, untilMs, complete]),
      [
        ["first", 0, 1000, true],
        ["second", 1000, 2000, true],
      ],
    );
    assert.equal(outcome.endedEarly, null);
    assert.ok(stepsOf(outcome).every(({ distributions }) => (distributions.lag?.latencyUs.max ?? 1e9) < 300));
  });

  test("keeps the latency of a reply that comes in the next step in the step of its message", async () => {
    const slow: VirtualTarget = { replyAtNs: (sentNs) => sentNs + 1500 * ms };
    const scenario = scenarioOf(steadyPopulation(10), closedLoop, {
      target: { ...scenarioOf(steadyPopulation(1), closedLoop).target, timeoutMs: 5000 },
    });
    const [first, second] = stepsOf(await outcomeOf(scenario, slow));
    assert.deepEqual([first?.counters.answered, first?.counters.received], [10, 0]);
    assert.equal(first?.distributions.latency?.latencyUs.max, 1_500_000);
    assert.deepEqual([second?.counters.answered, second?.counters.received], [10, 10]);
  });

  test("is the same for each group, whose figures are apart", async () => {
    const idle = { name: "idle", population: steadyPopulation(3), traffic: { kind: "idle" } } as const;
    const scenario = scenarioOf(steadyPopulation(10), closedLoop);
    const outcome = await outcomeOf({ ...scenario, groups: [...scenario.groups, idle] });
    const [first] = outcome.steps;
    assert.equal(first?.groups["all"]?.counters.answered, 500);
    assert.equal(first.groups["idle"]?.counters.sent, 0);
    assert.deepEqual([first.groups["all"]?.openConnections, first.groups["idle"]?.openConnections], [10, 3]);
  });

  test("repeats with its seed", async () => {
    const population = steadyPopulation(10, {
      ...comesBack,
      lifetime: { kind: "exponential", meanMs: 300 },
      size: [{ durationMs: 1000, from: 5, to: 10 }],
      arrivals: "poisson",
    });
    const traffic: Traffic = {
      ...closedLoop,
      loop: { kind: "open", rate: constant(500), arrivals: "poisson" },
    };
    const run = async (seed: number) => {
      const scenario = scenarioOf(population, traffic, {
        resources: { threads: 2, seed, part: undefined },
      });
      return stepsOf(await outcomeOf(scenario)).map(({ counters }) => counters);
    };
    const first = await run(7);
    assert.deepEqual(await run(7), first);
    assert.notDeepEqual(await run(8), first);
  });
});

describe("a population", () => {
  test("grows and shrinks along its curve", async () => {
    const size = [
      { durationMs: 1000, from: 0, to: 100 },
      { durationMs: 900, from: 100, to: 20 },
    ];
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(0, { size }), { kind: "idle" }));
    assert.deepEqual(
      stepsOf(outcome).map(({ openConnections }) => openConnections),
      [100, 20],
    );
    assert.deepEqual(countersOf(outcome, "opened"), [100, 0]);
    assert.deepEqual(countersOf(outcome, "left"), [0, 80]);
    assert.deepEqual(outcome.errors, {});
    assert.ok((stepsOf(outcome)[0]?.distributions.connectLag?.latencyUs.max ?? 1e9) < 300);
  });

  test("loses nothing when a connection reaches its lifetime, and replaces it", async () => {
    const population = steadyPopulation(10, { lifetime: { kind: "fixed", ms: 110 } });
    const outcome = await outcomeOf(scenarioOf(population, closedLoop));
    assert.deepEqual(countersOf(outcome, "lost"), [0, 0]);
    assert.ok((countersOf(outcome, "expired")[0] ?? 0) >= 70, `${countersOf(outcome, "expired")}`);
    assert.deepEqual(countersOf(outcome, "closed"), [0, 0]);
    assert.equal(stepsOf(outcome)[1]?.distributions.gap, null);
  });

  test("comes back after the target has ended its connections, and each client's gap is known", async () => {
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(10, comesBack), closedLoop), {
      ...answers,
      diesAtNs: 1500 * ms,
    });
    const [first] = stepsOf(outcome);
    assert.equal(first?.counters.closed, 10);
    assert.equal(first.counters.reconnected, 10);
    assert.equal(first.counters.lost, 10);
    assert.deepEqual(first.closes, [{ second: 0, kind: "reset", code: 1006, status: null, count: 10 }]);
    const gapUs = first.distributions.gap?.latencyUs;
    assert.ok((gapUs?.min ?? 0) >= 100_000 && (gapUs?.max ?? 1e9) < 101_000, JSON.stringify(gapUs));
    assert.deepEqual(outcome.errors, { reset: { count: 10, detail: "the target died" } });
  });

  test("treats an expected close code as data", async () => {
    const population = steadyPopulation(10, { ...comesBack, expectedCloses: [1001] });
    const outcome = await outcomeOf(scenarioOf(population, { kind: "idle" }), {
      ...answers,
      closes: (_connection, openedNs) => (openedNs < 1020 * ms ? { atNs: 2500 * ms, code: 1001 } : undefined),
    });
    assert.deepEqual(countersOf(outcome, "closedExpected"), [0, 10]);
    assert.deepEqual(countersOf(outcome, "closed"), [0, 0]);
    assert.deepEqual(outcome.errors, {});
    assert.deepEqual(stepsOf(outcome)[1]?.closes, [
      { second: 1, kind: "closed-1001", code: 1001, status: null, count: 10 },
    ]);
  });

  test("waits longer after each failure, and as long as Retry-After asks", async () => {
    const attempts = async (target: Partial<VirtualTarget>) => {
      const outcome = await outcomeOf(scenarioOf(steadyPopulation(1, comesBack), { kind: "idle" }), {
        ...answers,
        diesAtNs: 1100 * ms,
        refuses: (_connection, nowNs) => nowNs > 1100 * ms,
        ...target,
      });
      return countersOf(outcome, "failed").reduce((sum, count) => sum + count, 0);
    };
    // In the 1.92 s that are left: after 100, 200, then 400 ms each.
    assert.equal(await attempts({}), 6);
    // After 100, then 900 ms each.
    assert.equal(await attempts({ retryAfterMs: 900 }), 3);
  });

  test("that does not come back ends the session once it is gone", async () => {
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(10, never), closedLoop), {
      ...answers,
      diesAtNs: 1500 * ms,
    });
    assert.equal(outcome.endedEarly?.cause, "target-gone");
    assert.equal(outcome.steps.length, 1);
    assert.equal(outcome.steps[0]?.complete, false);
    assert.equal(stepsOf(outcome)[0]?.absentClients, 10);
  });
});

describe("clients that come as the size grows", () => {
  const growing: Partial<Population> = { ...comesBack, size: [{ durationMs: 1000, from: 0, to: 10 }] };
  const once: Echo = { ...closedLoop, loop: { kind: "once" } };

  test("send one message each, where they are to send one once", async () => {
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(0, growing), once));
    assert.deepEqual(countersOf(outcome, "opened"), [10, 0]);
    assert.deepEqual(countersOf(outcome, "answered"), [10, 0]);
    assert.equal(stepsOf(outcome)[0]?.distributions.firstEcho?.latencyUs.min, 20_000);
  });

  test("are absent from the moment they were due, through every attempt that fails", async () => {
    const outcome = await outcomeOf(scenarioOf(steadyPopulation(0, growing), once), {
      ...answers,
      refuses: (connection, nowNs) => connection === 0 && nowNs < 1500 * ms,
      retryAfterMs: 700,
    });
    assert.deepEqual(countersOf(outcome, "retryAfter"), [1, 0]);
    assert.deepEqual(countersOf(outcome, "opened"), [10, 0]);
    const absenceUs = stepsOf(outcome)[0]?.distributions.absence?.latencyUs;
    assert.ok((absenceUs?.min ?? 0) < 1000, JSON.stringify(absenceUs));
    assert.ok((absenceUs?.max ?? 0) >= 700_000, JSON.stringify(absenceUs));
  });
});

test("a thread without clients does not prolong a session whose target has ended", async () => {
  const scenario = scenarioOf(steadyPopulation(1, never), closedLoop, {
    timeline: [stepOf("long", 60_000)],
    resources: { threads: 2, seed: 1, part: undefined },
  });
  const outcome = await outcomeOf(scenario, { ...answers, diesAtNs: 1500 * ms });
  assert.equal(outcome.endedEarly?.cause, "target-gone");
  assert.ok((outcome.steps[0]?.untilMs ?? 1e9) < 3000, `${outcome.steps[0]?.untilMs}`);
});

test("a step without connections lasts as long as others", async () => {
  const size = [{ durationMs: 500, from: 10, to: 0 }];
  const outcome = await outcomeOf(scenarioOf(steadyPopulation(0, { size }), { kind: "idle" }));
  assert.equal(outcome.endedEarly, null);
  assert.deepEqual(
    outcome.steps.map(({ complete }) => complete),
    [true, true],
  );
});

test("pings are timed until their pongs, spread over the interval", async () => {
  const scenario = scenarioOf(steadyPopulation(10), { kind: "ping", intervalMs: 100 });
  const outcome = await outcomeOf(scenario);
  assert.deepEqual(countersOf(outcome, "pings"), [100, 100]);
  assert.deepEqual(countersOf(outcome, "lostPings"), [0, 0]);
  const pingUs = stepsOf(outcome)[1]?.distributions.ping?.latencyUs;
  assert.ok((pingUs?.min ?? 0) >= 250 && (pingUs?.max ?? 1e9) < 600, JSON.stringify(pingUs));
});

describe("a session ends before its time", () => {
  test("when a step's condition has held for its time", async () => {
    const step = stepOf("slow", 60_000, { abortIf: [parseAbort("p99>15ms:3s")] });
    const outcome = await outcomeOf(
      scenarioOf(steadyPopulation(10), closedLoop, { timeline: [stepOf("first", 1000), step] }),
    );
    assert.deepEqual(outcome.endedEarly, { cause: "aborted", reason: "p99>15ms:3s held for 3s" });
    assert.ok(Math.abs((outcome.steps[1]?.untilMs ?? 0) - 4000) < 50, `${outcome.steps[1]?.untilMs}`);
    assert.equal(stepsOf(outcome)[1]?.counters.lost, 0);
  });

  test("when no connection has come back for too long", async () => {
    const scenario = scenarioOf(steadyPopulation(10, comesBack), closedLoop, {
      timeline: [stepOf("long", 60_000)],
      guards: { goneAfterMs: 5000, maxFailures: 1e6 },
    });
    const outcome = await outcomeOf(scenario, {
      ...answers,
      diesAtNs: 2000 * ms,
      refuses: (_connection, nowNs) => nowNs > 2000 * ms,
    });
    assert.equal(outcome.endedEarly?.cause, "target-gone");
    assert.match(outcome.endedEarly?.reason ?? "", /no connection could be opened for 5s/);
  });

  test("when too many connections fail", async () => {
    const scenario = scenarioOf(
      steadyPopulation(10, comesBack),
      { kind: "idle" },
      {
        timeline: [stepOf("long", 60_000)],
        guards: { goneAfterMs: 60_000, maxFailures: 50 },
      },
    );
    const outcome = await outcomeOf(scenario, {
      ...answers,
      closes: (_connection, openedNs) => ({ atNs: openedNs + 10 * ms, code: 1011 }),
    });
    assert.equal(outcome.endedEarly?.cause, "too-many-failures");
  });

  test("when it is interrupted, with what happened until then", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    clock.callAtNs(1700 * ms, () => controller.abort());
    const outcome = await outcomeOf(
      scenarioOf(steadyPopulation(10), closedLoop, { timeline: [stepOf("long", 60_000)] }),
      answers,
      { clock, signal: controller.signal },
    );
    assert.equal(outcome.endedEarly?.cause, "interrupted");
    assert.equal(countersOf(outcome, "lost")[0], 0);
    assert.ok((countersOf(outcome, "answered")[0] ?? 0) >= 330, `${countersOf(outcome, "answered")}`);
  });

  test("when it is interrupted while connecting, or nothing can be opened: with the errors so far", async () => {
    const interrupted = await outcomeOf(scenarioOf(steadyPopulation(10), closedLoop), answers, {
      signal: AbortSignal.abort(),
    });
    assert.equal(interrupted.endedEarly?.cause, "interrupted");
    assert.deepEqual(interrupted.steps, []);
    const refused = await outcomeOf(scenarioOf(steadyPopulation(10), closedLoop), {
      ...answers,
      refuses: () => true,
    });
    assert.equal(refused.endedEarly?.cause, "not-connected");
    assert.equal(refused.connect["all"]?.counters.failed, 10);
    assert.deepEqual(refused.errors, { unreachable: { count: 10, detail: "refused" } });
  });
});
