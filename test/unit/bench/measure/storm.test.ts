import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concludeStorm, stormMetrics, stormScenario } from "../../../../bench/measure/storm.ts";
import { reportSources } from "../../../../bench/report/kinds.ts";
import { formatStorm } from "../../../../bench/report/session/storm.ts";
import { stormSchema } from "../../../../bench/result/storm.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { valueAt } from "../../../../bench/scenario/curve.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { refusedAtFirst, stormOptions, stormOutcome } from "../../../support/storm.ts";

describe("the scenario of a storm", () => {
  test("connects clients at the rate, after the background has been measured", () => {
    const { groups, timeline } = stormScenario(stormOptions);
    const [storm, background] = groups;
    assert.ok(storm && background);
    assert.deepEqual(
      [0, 5000, 6000, 7000, 9000].map((atMs) => valueAt(storm.population.size, atMs)),
      [0, 0, 50, 100, 100],
    );
    assert.equal(valueAt(background.population.size, 0), 10);
    assert.deepEqual(
      timeline.map(({ durationMs }) => durationMs),
      [5000, 1000, 1000, 1000, 1000],
    );
  });

  test("connects all at once with max, in at most 30 steps", () => {
    const { groups, timeline } = stormScenario({
      ...stormOptions,
      ratePerSecond: undefined,
      durationMs: 300_000,
    });
    assert.equal(valueAt(groups[0]?.population.size ?? [], 5000), 100);
    assert.equal(timeline.length, 31);
    assert.equal(
      timeline.reduce((sum, { durationMs }) => sum + durationMs, 0),
      305_000,
    );
  });

  test("sends pings instead of messages to a server that does not echo", () => {
    const { groups } = stormScenario({ ...stormOptions, traffic: "ping" });
    assert.deepEqual(
      groups.map(({ traffic }) => traffic),
      [{ kind: "idle" }, { kind: "ping", intervalMs: 100 }],
    );
  });
});

describe("the report of a storm", () => {
  test("counts handshakes and refusals, and the CPU time of each without that of the background", () => {
    const report = stormSchema.parse(concludeStorm(stormOptions, stormOutcome(refusedAtFirst), []));
    assert.deepEqual(report.handshakes, { begun: 105, opened: 100, refused: 5, failed: 0, perSecond: 52.5 });
    assert.deepEqual(report.refusals, [{ status: 503, count: 5 }]);
    assert.equal(report.retryAfter, 5);
    // One core for two seconds, less a tenth, over 105 handshakes.
    assert.ok(Math.abs((report.server?.cpuUsPerHandshake ?? 0) - 1_800_000 / 105) < 1);
    assert.deepEqual(report.failures, []);
  });

  test("separates the harm to others until nearly all were connected from later harm", () => {
    const { background, settledSeconds, stages } = concludeStorm(
      stormOptions,
      stormOutcome(refusedAtFirst),
      [],
    );
    assert.equal(settledSeconds, 2);
    const near = (actual: number | undefined, wanted: number): boolean =>
      Math.abs((actual ?? 0) - wanted) < wanted / 100;
    assert.ok(near(background?.before?.p99, 1000), JSON.stringify(background?.before));
    assert.ok(near(background?.during?.p50, 50_000) && near(background?.during?.p99, 90_000));
    assert.ok(near(background?.after?.p99, 3000), JSON.stringify(background?.after));
    assert.ok(near(stages.open?.min, 20_000) && near(stages.open?.max, 40_000));
  });

  test("is not acceptable when clients remain disconnected, others are harmed, or a threshold is missed", () => {
    const [first] = refusedAtFirst;
    assert.ok(first);
    const outcome = stormOutcome([{ ...first, storm: { ...first.storm, lost: 2, failed: 8 } }]);
    const report = concludeStorm(stormOptions, outcome, [
      parseThresholdOf(stormMetrics, "background.p99<5ms"),
    ]);
    assert.deepEqual(report.failures, [
      "threshold background.p99<5ms was not met: it was 50.0 ms",
      "55 clients had no connection at the end",
      "3 handshakes had no answer",
      "2 first echoes were lost",
    ]);
    assert.equal(report.settledSeconds, null);
    assert.match(report.warnings.join("\n"), /Fewer than 99\.0 % of the clients had a connection/);
  });

  test("fits 80 columns", () => {
    const text = formatStorm(concludeStorm(stormOptions, stormOutcome(refusedAtFirst), []), {
      ...plainLook,
      width: 80,
    });
    assert.deepEqual(
      text.split("\n").filter((line) => line.length > 80),
      [],
    );
    const unbroken = text.replace(/\s+/g, " ");
    assert.match(unbroken, /5 refused \(4\.8 %\): 5 with 503, 5 with a Retry-After/);
    assert.match(unbroken, /17\.1 ms of CPU per handshake, 10\.0 % of a core before/);
    assert.match(unbroken, /p99 1\.\d+ ms before, 90\.\d ms during, 3\.00 ms after/);
  });

  test("is reported in Markdown, CSV and HTML", () => {
    const report = concludeStorm(stormOptions, stormOutcome(refusedAtFirst), []);
    const sources = [{ name: "storm.json", text: JSON.stringify(report) }];
    const form = { service: false, look: plainLook };
    assert.match(reportSources(sources, { ...form, format: "markdown" }), /\| Handshakes\/s \|/);
    assert.match(reportSources(sources, { ...form, format: "csv" }), /handshakes\.refused/);
    assert.match(reportSources(sources, { ...form, format: "html" }), /Stages of /);
  });
});
