import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concludeIdle,
  type IdleOptions,
  idleMetrics,
  idleScenario,
  lengthOf,
} from "../../../../bench/measure/idle.ts";
import type { SessionOutcome } from "../../../../bench/measure/session.ts";
import { formatIdle, idleReports } from "../../../../bench/report/session/idle.ts";
import { idleSchema } from "../../../../bench/result/idle.ts";
import { parseThresholdOf } from "../../../../bench/result/threshold.ts";
import { valueAt } from "../../../../bench/scenario/curve.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";

import {
  exampleFigures,
  exampleOutcome,
  exampleSample,
  exampleStep,
  exampleTarget,
} from "../../../support/session.ts";

const options: IdleOptions = {
  label: null,
  target: exampleTarget,
  steps: [1000, 2000, 5000, 10_000],
  holdMs: 10_000,
  connectionsPerSecond: 1000,
  pingIntervalMs: undefined,
  reconnect: { kind: "never" },
  expectedCloses: [],
  resources: { threads: 1, seed: 1, part: undefined },
};

/** A server of 80 MB that keeps so much for each connection, and a kernel that keeps so much for each end. */
function outcomeOf(
  { own = 1024, kernel = 2500, open = (connections: number) => connections, pings = 0, cpuPerPing = 0 } = {},
  changes: Partial<SessionOutcome> = {},
): SessionOutcome {
  const samplesAt = (from: number, until: number, connections: number, cpuShare: number) =>
    Array.from({ length: until - from + 1 }, (_, i) => {
      // The first half of a hold has not settled.
      const settling = i < (until - from) / 2 ? 900_000 : 0;
      const rssBytes = 80_000_000 + own * connections + settling;
      return exampleSample(
        from + i,
        { rssBytes, cpuSeconds: cpuShare * i },
        {
          pssBytes: rssBytes - 5_000_000,
          anonymousBytes: rssBytes - 60_000_000,
          kernel: { slabBytes: 200_000_000 + 2 * kernel * connections, tcpBytes: 0 },
        },
      );
    });
  const server = (from: number, until: number, connections: number, cpuShare = 0) => ({
    source: "pid" as const,
    cpus: null,
    samples: samplesAt(from, until, connections, cpuShare),
  });
  const holds = options.steps.map((connections, i) => {
    const from = 10 + 20 * i;
    const sent = pings * connections;
    return exampleStep(`hold ${connections}`, 1000 * from, 10_000, {
      groups: {
        idle: exampleFigures(
          { opened: connections - (options.steps[i - 1] ?? 0), pings: sent, pongs: sent },
          { openConnections: open(connections) },
        ),
      },
      server: server(from, from + 10, connections, (cpuPerPing * sent) / 10 / 1e6 + 0.001),
    });
  });
  return exampleOutcome(
    [
      exampleStep("before", 0, 3000, { measured: false, server: server(0, 3, 0) }),
      ...holds,
      exampleStep("after", 100_000, 6000, { measured: false, server: server(100, 106, 2000) }),
    ],
    changes,
  );
}

describe("idleScenario", () => {
  const scenario = idleScenario({ ...options, pingIntervalMs: 5000 });

  it("goes from step to step at the connect rate, holds each, and closes them all", () => {
    assert.deepEqual(
      scenario.timeline.filter(({ measured }) => measured).map(({ name, durationMs }) => [name, durationMs]),
      [1000, 2000, 5000, 10_000].map((connections) => [`hold ${connections}`, 10_000]),
    );
    const [first] = scenario.groups;
    let fromMs = 0;
    for (const { name, durationMs } of scenario.timeline) {
      const [, connections] = /^hold (\d+)$/.exec(name) ?? [];
      if (connections !== undefined) {
        assert.equal(valueAt(first?.population.size ?? [], fromMs), Number(connections));
        assert.equal(valueAt(first?.population.size ?? [], fromMs + durationMs - 1), Number(connections));
      }
      fromMs += durationMs;
    }
    assert.equal(valueAt(first?.population.size ?? [], fromMs), 0);
    assert.equal(lengthOf(scenario), fromMs);
  });

  it("pings on request", () => {
    assert.deepEqual(scenario.groups[0]?.traffic, { kind: "ping", intervalMs: 5000 });
    assert.deepEqual(idleScenario(options).groups[0]?.traffic, { kind: "idle" });
  });
});

describe("concludeIdle", () => {
  it("finds what each connection takes in the process and in the kernel", () => {
    const report = concludeIdle(options, outcomeOf(), []);
    assert.equal(report.process?.bytesPerConnection, 1024);
    assert.deepEqual([report.process?.low, report.process?.high], [1024, 1024]);
    assert.equal(report.process?.measure, "anonymous");
    assert.equal(report.kernel?.bytesPerConnection, 2500);
    // (1 GiB - 80 MB) / (1,024 + 2,500)
    assert.equal(report.connectionsPerGiB, 281_992);
    assert.equal(report.after?.share, 0.8);
    assert.deepEqual(report.failures, []);
    idleSchema.parse(report);
  });

  it("gives the kernel's part of one end where the other end is elsewhere", () => {
    const remote = outcomeOf({}, { locality: { local: false, overIpv4Loopback: false } });
    assert.equal(concludeIdle(options, remote, []).kernel?.bytesPerConnection, 5000);
  });

  it("counts the connections of all generators, of which each has as many", () => {
    const third = { ...options, resources: { ...options.resources, part: { number: 1, of: 3 } } };
    const outcome = outcomeOf({ own: 3 * 1024, kernel: 3 * 2500 });
    const { process, kernel, warnings } = concludeIdle(third, outcome, []);
    assert.equal(process?.bytesPerConnection, 1024);
    assert.equal(kernel?.bytesPerConnection, 2500);
    assert.match(warnings[0] ?? "", /^One of 3 generators: /);
  });

  it("counts by the connections that were open, and fails if some were not", () => {
    const report = concludeIdle(options, outcomeOf({ open: (connections) => connections / 2 }), []);
    assert.equal(report.process?.bytesPerConnection, 2048);
    assert.deepEqual(report.failures, ["4 steps had not all their connections"]);
  });

  it("separates the CPU time of a ping from the rest", () => {
    const report = concludeIdle(
      { ...options, pingIntervalMs: 1000 },
      outcomeOf({ pings: 10, cpuPerPing: 3 }),
      [],
    );
    assert.ok(Math.abs((report.pingCpu?.us ?? 0) - 3) < 1e-6, `${report.pingCpu?.us} us`);
  });

  it("warns when memory cannot be read, and says what would help", () => {
    const outcome = outcomeOf();
    const blind = { ...outcome, steps: outcome.steps.map((step) => ({ ...step, server: undefined })) };
    const report = concludeIdle(options, blind, []);
    assert.equal(report.process, null);
    assert.match(report.warnings.join(), /give --pid/);
    idleSchema.parse(report);
  });

  it("warns of a slope that may be zero", () => {
    const report = concludeIdle(options, outcomeOf({ own: 0 }), []);
    assert.match(report.warnings.join(), /process's part may be zero/);
  });

  it("fails on closed connections, lost pings, an early end and missed thresholds", () => {
    const outcome = outcomeOf({}, { endedEarly: { cause: "interrupted", reason: "interrupted" } });
    const [first, ...others] = outcome.steps;
    const hurt = {
      ...outcome,
      steps: [
        {
          ...exampleStep("x", 0, 1, { measured: false }),
          groups: { idle: exampleFigures({ closed: 17, lostPings: 1 }) },
        },
        ...(first === undefined ? [] : [first]),
        ...others,
      ],
    };
    const report = concludeIdle(options, hurt, [parseThresholdOf(idleMetrics, "each<1KiB")]);
    assert.deepEqual(report.failures, [
      "the session ended early: interrupted",
      "threshold each<1KiB was not met: it was 3.44 KiB",
      "17 connections were closed",
      "1 ping had no answer",
    ]);
  });
});

describe("the reports of idle", () => {
  const document = concludeIdle(options, outcomeOf(), [parseThresholdOf(idleMetrics, "each<1KiB")]);
  const report = (format: "markdown" | "csv" | "html"): string =>
    idleReports.report([{ name: "idle.json", text: JSON.stringify(document) }], {
      format,
      service: false,
      look: plainLook,
    });

  it("has a row with the headline figures in Markdown, and failures before it", () => {
    const text = report("markdown");
    assert.match(text, /\| Each, process \| Each, kernel \| 1 GiB holds \|/);
    assert.match(text, /\| 1 KiB \| 2\.44 KiB \| 280,000 \|/);
    assert.ok(text.indexOf("each<1KiB was not met") < text.indexOf("Each, process"));
  });

  it("has a column for every figure in CSV", () => {
    const [header = "", row = ""] = report("csv").split("\r\n");
    const at = header.split(",").indexOf("process.bytesPerConnection");
    assert.equal(row.split(",")[at], "1024");
  });

  it("is a page with plots and the failure", () => {
    const page = report("html");
    assert.match(page, /1 KiB \(1 KiB to 1 KiB\) \+ 2\.44 KiB kernel each/);
    assert.match(page, /each&lt;1KiB/);
    assert.match(page, /data-plot="1"/);
  });
});

describe("formatIdle", () => {
  const text = formatIdle(
    concludeIdle(
      { ...options, pingIntervalMs: 1000 },
      outcomeOf({ own: 662, kernel: 3174, pings: 10, cpuPerPing: 3 }),
      [],
    ),
    { ...plainLook, width: 80 },
  );

  it("says the figure in one line", () => {
    assert.match(text, /^memory +662 B \(662-662\) \+ 3\.1 KiB kernel each; 1 GiB holds about 260,000/m);
  });

  it("fits into 80 columns", () => {
    for (const line of text.split("\n")) {
      assert.ok(line.length <= 80, line);
    }
  });

  it("shows every step with its pings", () => {
    assert.match(text, /^ *open +RSS +anonymous +kernel +CPU +pings\/s +p50 +p99$/m);
    assert.match(text, /^10,000 +82\.6 MiB/m);
  });
});
