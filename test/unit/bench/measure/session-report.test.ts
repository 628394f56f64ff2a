import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reportSession, sessionMetrics } from "../../../../bench/measure/session-report.ts";
import { formatSessionReport } from "../../../../bench/report/session/session.ts";
import { sessionSchema } from "../../../../bench/result/session.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { steadyPopulation } from "../../../../bench/scenario/population.ts";
import { defaultGuards, type Scenario } from "../../../../bench/scenario/scenario.ts";
import { exampleFigures, exampleOutcome, exampleStep, timedFigures } from "../../../support/session.ts";
import { exampleScenario } from "../../../support/virtual-world.ts";

const { payloads, type, verify, ...target } = exampleScenario().endpoint;
const scenario: Scenario = {
  target: { ...target, engine: "raw" },
  groups: [
    { name: "users", population: steadyPopulation(10), traffic: { kind: "idle" } },
    {
      name: "slow",
      population: steadyPopulation(2),
      traffic: {
        kind: "read",
        bytesPerSecond: 0,
        rate: [],
        messages: { payloads: [{ content: new Uint8Array(1), weight: 1 }], type, verify },
      },
    },
  ],
  timeline: [],
  guards: defaultGuards(12),
  resources: { threads: 1, seed: 1, part: undefined },
};

function withLatency(counters: Parameters<typeof exampleFigures>[0], latenciesUs: readonly number[]) {
  const figures = exampleFigures(counters);
  return { ...figures, distributions: { ...figures.distributions, latency: timedFigures(latenciesUs) } };
}

function reportOf(lost: number, expressions: readonly string[] = []) {
  const steps = [
    exampleStep("warm", 0, 1000, { measured: false, groups: { users: withLatency({ lost: 9 }, [9e6]) } }),
    exampleStep("hold", 1000, 2000, {
      groups: {
        users: withLatency({ sent: 100, answered: 100 - lost, lost }, [10, 20, 30]),
        slow: withLatency({ sent: 50, lost: 50 }, [5]),
      },
    }),
  ];
  const thresholds = expressions.map((expression) => parseThresholdOf(sessionMetrics, expression));
  return sessionSchema.parse(
    JSON.parse(JSON.stringify(reportSession({ label: null, scenario, thresholds }, exampleOutcome(steps)))),
  );
}

describe("a SessionReport", () => {
  test("is acceptable when all that was measured was answered, but for what slow readers leave", () => {
    const report = reportOf(0, ["max<=30us", "lost==50", "answered==100"]);
    assert.deepEqual(report.failures, []);
    assert.deepEqual(
      report.thresholds.map(({ passed }) => passed),
      [true, true, true],
    );
    assert.deepEqual(report.groups, [
      { name: "users", connections: 10, traffic: "idle" },
      { name: "slow", connections: 2, traffic: "read" },
    ]);
    assert.deepEqual(report.steps[1]?.groups["users"]?.counters, { sent: 100, answered: 100 });
  });

  test("is not when messages were lost or a threshold was missed", () => {
    assert.deepEqual(reportOf(3, ["max<30us"]).failures, [
      "threshold max<30us was not met: it was 30.0 us",
      "3 messages were lost",
    ]);
  });

  test("has a row for each group in each step", () => {
    const text = formatSessionReport(reportOf(0));
    assert.match(text, /^warm +users /m);
    assert.match(text, /^hold +slow .*5\.00 us +50$/m);
    assert.match(text, /2 steps over 3 s: idle on 10 connections, read on 2/);
  });
});
