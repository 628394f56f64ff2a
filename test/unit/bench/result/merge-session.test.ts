import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeSession, reportSession, sessionMetrics } from "../../../../bench/measure/session-report.ts";
import { findDocuments } from "../../../../bench/result/log.ts";
import { MergeError } from "../../../../bench/result/merge.ts";
import { mergeSessions } from "../../../../bench/result/merge-session.ts";
import { hashOf } from "../../../../bench/result/parts.ts";
import { type SessionReport, sessionSchema, sessionVersions } from "../../../../bench/result/session.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { steadyPopulation } from "../../../../bench/scenario/population.ts";
import { defaultGuards } from "../../../../bench/scenario/scenario.ts";
import {
  exampleFigures,
  exampleOutcome,
  exampleSample,
  exampleStep,
  exampleTarget,
  timedFigures,
} from "../../../support/session.ts";

const empty = exampleFigures().distributions;

function reportOf(latenciesUs: readonly number[], startedAt: string, group = "users"): SessionReport {
  const answered = latenciesUs.length;
  const figures = exampleFigures(
    { sent: answered, answered, received: answered },
    {
      distributions: { ...empty, latency: timedFigures(latenciesUs) },
      openConnections: 5,
      seconds: [1, 2].map((endSeconds) => ({
        endSeconds,
        counters: exampleFigures({ received: answered / 2 }).counters,
        latencyUs: null,
        openConnections: 5,
      })),
    },
  );
  const server = {
    source: "pid" as const,
    cpus: null,
    samples: [exampleSample(0, { cpuSeconds: 1 }), exampleSample(2, { cpuSeconds: 2 })],
  };
  const report = reportSession(
    {
      label: null,
      scenario: {
        target: exampleTarget,
        groups: [{ name: group, population: steadyPopulation(5), traffic: { kind: "idle" } }],
        timeline: [],
        guards: defaultGuards(5),
        resources: { threads: 1, seed: 1, part: undefined },
      },
      thresholds: [parseThresholdOf(sessionMetrics, "max<1ms")],
    },
    exampleOutcome([exampleStep("hold", 0, 2000, { groups: { [group]: figures }, server })], {
      startedAt: new Date(startedAt),
      errors: { reset: { count: 1, detail: "connection reset" } },
    }),
  );
  return sessionSchema.parse(JSON.parse(JSON.stringify(report)));
}

const one = reportOf([100, 200], "2026-11-24T15:00:00.000Z");
const two = reportOf([300, 400, 500, 600], "2026-11-24T15:00:00.100Z");

describe("merged SessionReports", () => {
  const merged = sessionSchema.parse(judgeSession(mergeSessions([one, two]), []));
  const group = merged.steps[0]?.groups["users"];

  test("have the sums of counters, connections, closes and errors", () => {
    assert.deepEqual(group?.counters, { sent: 6, answered: 6, received: 6 });
    assert.equal(group?.openConnections, 10);
    assert.deepEqual(merged.groups, [{ name: "users", connections: 10, traffic: "idle" }]);
    assert.deepEqual(merged.errors, { reset: 2 });
    assert.equal(merged.startedAt, one.startedAt);
  });

  test("have the percentiles of all latencies, and rates of the same second added", () => {
    const all = timedFigures([100, 200, 300, 400, 500, 600]).latencyUs;
    assert.deepEqual(group?.times["latency"]?.latencyUs, all);
    assert.deepEqual(
      group?.series.map(({ messagesPerSecond, openConnections }) => [messagesPerSecond, openConnections]),
      [
        [3, 10],
        [3, 10],
      ],
    );
  });

  test("count the server's CPU time once, over the messages of all", () => {
    const cost = (report: SessionReport) => report.steps[0]?.server?.cpuUsPerMessage ?? 0;
    assert.equal(merged.steps[0]?.server?.cpuPercent, one.steps[0]?.server?.cpuPercent);
    assert.ok(cost(one) > 0);
    assert.ok(Math.abs(cost(merged) - (cost(one) * 2) / 6) < 1e-6 * cost(one));
  });

  test("keep their parts, none of which counts twice, and name an outlying one", () => {
    assert.deepEqual(
      merged.parts.map(({ p99Us }) => p99Us),
      [one, two].map((report) => report.steps[0]?.groups["users"]?.times["latency"]?.latencyUs.p99),
    );
    assert.match(
      merged.warnings.join(),
      /The part 2026-11-24T15:00:00.100Z has a p99 of 600 us, the middle part 200/,
    );
    assert.throws(() => mergeSessions([merged, one]), /would count twice/);
    const line = JSON.stringify(one);
    const twice = findDocuments([{ name: "a.log", text: `x ${line}\n${line}\n` }], sessionVersions, hashOf);
    assert.deepEqual([twice.results.length, twice.problems.length], [1, 1]);
  });

  test("are refused together when target, groups, steps or time differ, with every difference", () => {
    const late = reportOf([1], "2026-11-24T15:01:00.000Z", "others");
    assert.throws(
      () => mergeSessions([one, { ...late, target: { ...late.target, url: "ws://other/" } }]),
      (error) => {
        assert.ok(error instanceof MergeError);
        assert.match(
          error.message,
          /target.url differs[\s\S]*groups differs[\s\S]*share only 0.0 s of 2.0 s/,
        );
        return true;
      },
    );
    assert.throws(() => mergeSessions([one]), /at least two/);
  });

  test("may be of older files, which had no parts", () => {
    const { parts, ...old } = one;
    const text = JSON.stringify(old);
    const found = findDocuments([{ name: "old.json", text }], sessionVersions, hashOf);
    assert.deepEqual([found.problems, found.results], [[], [one]]);
    assert.deepEqual(parts, []);
  });
});
