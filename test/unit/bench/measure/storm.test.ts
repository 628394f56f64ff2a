import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CounterName } from "../../../../bench/load/metrics.ts";
import type { GroupFigures } from "../../../../bench/measure/figures.ts";
import type { SessionOutcome } from "../../../../bench/measure/session.ts";
import {
  concludeStorm,
  type StormOptions,
  stormMetrics,
  stormScenario,
} from "../../../../bench/measure/storm.ts";
import { reportSources } from "../../../../bench/report/kinds.ts";
import { formatStorm } from "../../../../bench/report/session/storm.ts";
import { stormSchema } from "../../../../bench/result/storm.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { valueAt } from "../../../../bench/scenario/curve.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import {
  exampleFigures,
  exampleOutcome,
  exampleSample,
  exampleStep,
  timedFigures,
} from "../../../support/session.ts";
import { exampleScenario } from "../../../support/virtual-world.ts";

const { payloads, type, verify, ...endpoint } = exampleScenario().endpoint;

const options: StormOptions = {
  label: null,
  target: { ...endpoint, engine: "raw" },
  connections: 100,
  ratePerSecond: 50,
  arrivals: "even",
  background: { connections: 10, ratePerSecond: 100 },
  traffic: "echo",
  payload: new Uint8Array(64),
  beforeMs: 5000,
  durationMs: 4000,
  reconnect: { kind: "backoff", baseMs: 1000, maxMs: 30_000, jitter: "full" },
  expectedCloses: [],
  resources: { threads: 1, seed: 1, part: undefined },
};

/** One second of the storm. */
interface Second {
  readonly storm: Partial<Record<CounterName, number>>;
  readonly open: number;
  readonly refused?: number;
  readonly othersUs: number;
  readonly openUs?: number;
}

function outcomeOf(seconds: readonly Second[], changes: Partial<SessionOutcome> = {}): SessionOutcome {
  const others = (us: number): GroupFigures =>
    exampleFigures(
      { sent: 100, answered: 100 },
      { distributions: { ...exampleFigures().distributions, latency: timedFigures(Array(100).fill(us)) } },
    );
  const samples = (fromSeconds: number, cpuSeconds: readonly [number, number]) => ({
    source: "pid" as const,
    cpus: null,
    samples: [
      exampleSample(fromSeconds, { cpuSeconds: cpuSeconds[0] }),
      exampleSample(fromSeconds + 1, { cpuSeconds: cpuSeconds[1] }),
    ],
  });
  return exampleOutcome(
    [
      exampleStep("before", 0, 5000, {
        groups: { storm: exampleFigures(), background: others(1000) },
        // A tenth of a core.
        server: samples(4, [10, 10.1]),
      }),
      ...seconds.map(({ storm, open, refused = 0, othersUs, openUs = 20_000 }, at) =>
        exampleStep(`storm ${at + 1}`, 5000 + 1000 * at, 1000, {
          groups: {
            storm: exampleFigures(storm, {
              openConnections: open,
              closes:
                refused === 0
                  ? []
                  : [{ second: 5 + at, kind: "handshake-refused", code: null, status: 503, count: refused }],
              distributions: {
                ...exampleFigures().distributions,
                open: timedFigures([openUs]),
                absence: timedFigures([openUs]),
              },
            }),
            background: others(othersUs),
          },
          server: samples(5 + at, [20 + at, 21 + at]),
        }),
      ),
    ],
    changes,
  );
}

const twoSeconds: readonly Second[] = [
  {
    storm: { begun: 50, opened: 45, failed: 5, retryAfter: 5, sent: 45 },
    open: 45,
    refused: 5,
    othersUs: 50_000,
  },
  { storm: { begun: 55, opened: 55, sent: 55 }, open: 100, othersUs: 90_000, openUs: 40_000 },
  { storm: {}, open: 100, othersUs: 2000 },
  { storm: {}, open: 100, othersUs: 3000 },
];

describe("the scenario of a storm", () => {
  test("lets clients come at the rate, after the background has been measured", () => {
    const { groups, timeline } = stormScenario(options);
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

  test("lets all come at once with max, in at most 30 steps", () => {
    const { groups, timeline } = stormScenario({ ...options, ratePerSecond: undefined, durationMs: 300_000 });
    assert.equal(valueAt(groups[0]?.population.size ?? [], 5000), 100);
    assert.equal(timeline.length, 31);
    assert.equal(
      timeline.reduce((sum, { durationMs }) => sum + durationMs, 0),
      305_000,
    );
  });

  test("sends pings instead of messages to a server that is no echo", () => {
    const { groups } = stormScenario({ ...options, traffic: "ping" });
    assert.deepEqual(
      groups.map(({ traffic }) => traffic),
      [{ kind: "idle" }, { kind: "ping", intervalMs: 100 }],
    );
  });
});

describe("the report of a storm", () => {
  test("counts handshakes and refusals, and the CPU time of each without that of the background", () => {
    const report = stormSchema.parse(concludeStorm(options, outcomeOf(twoSeconds), []));
    assert.deepEqual(report.handshakes, { begun: 105, opened: 100, refused: 5, failed: 0, perSecond: 52.5 });
    assert.deepEqual(report.refusals, [{ status: 503, count: 5 }]);
    assert.equal(report.retryAfter, 5);
    // One core for two seconds, less a tenth, over 105 handshakes.
    assert.ok(Math.abs((report.server?.cpuUsPerHandshake ?? 0) - 1_800_000 / 105) < 1);
    assert.deepEqual(report.failures, []);
  });

  test("tells the harm to the others until nearly all were in from what comes after", () => {
    const { background, settledSeconds, stages } = concludeStorm(options, outcomeOf(twoSeconds), []);
    assert.equal(settledSeconds, 2);
    const near = (actual: number | undefined, wanted: number): boolean =>
      Math.abs((actual ?? 0) - wanted) < wanted / 100;
    assert.ok(near(background?.before?.p99, 1000), JSON.stringify(background?.before));
    assert.ok(near(background?.during?.p50, 50_000) && near(background?.during?.p99, 90_000));
    assert.ok(near(background?.after?.p99, 3000), JSON.stringify(background?.after));
    assert.ok(near(stages.open?.min, 20_000) && near(stages.open?.max, 40_000));
  });

  test("is not acceptable when clients stay out, others are harmed, or a threshold is missed", () => {
    const [first] = twoSeconds;
    assert.ok(first);
    const outcome = outcomeOf([{ ...first, storm: { ...first.storm, lost: 2, failed: 8 } }]);
    const report = concludeStorm(options, outcome, [parseThresholdOf(stormMetrics, "background.p99<5ms")]);
    assert.deepEqual(report.failures, [
      "threshold background.p99<5ms was not met: it was 50.0 ms",
      "55 clients had no connection at the end",
      "3 handshakes had no answer",
      "2 first echoes were lost",
    ]);
    assert.equal(report.settledSeconds, null);
    assert.match(report.warnings.join("\n"), /Fewer than 99\.0 % of the clients had a connection/);
  });

  test("says all of it in 80 columns", () => {
    const text = formatStorm(concludeStorm(options, outcomeOf(twoSeconds), []), { ...plainLook, width: 80 });
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
    const report = concludeStorm(options, outcomeOf(twoSeconds), []);
    const sources = [{ name: "storm.json", text: JSON.stringify(report) }];
    const form = { service: false, look: plainLook };
    assert.match(reportSources(sources, { ...form, format: "markdown" }), /\| Handshakes\/s \|/);
    assert.match(reportSources(sources, { ...form, format: "csv" }), /handshakes\.refused/);
    assert.match(reportSources(sources, { ...form, format: "html" }), /Stages of /);
  });
});
