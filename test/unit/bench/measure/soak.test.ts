import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { documentHead } from "../../../../bench/measure/document.ts";
import type { SessionProgress } from "../../../../bench/measure/session.ts";
import { concludeSoak, type SoakOptions, soakScenario } from "../../../../bench/measure/soak.ts";
import { SoakTrack } from "../../../../bench/measure/soak-track.ts";
import { formatSoak, soakReports } from "../../../../bench/report/session/soak.ts";
import { type SoakPoint, type SoakReport, soakSchema } from "../../../../bench/result/soak.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { normalOf } from "../../../support/comparison.ts";
import {
  exampleFigures,
  exampleOutcome,
  exampleSample,
  exampleStep,
  exampleTarget,
} from "../../../support/session.ts";

const miB = 2 ** 20;
const options: SoakOptions = {
  label: null,
  target: exampleTarget,
  connections: 50,
  ratePerSecond: 100,
  payload: new Uint8Array(64),
  lifetimeMs: 30_000,
  durationMs: 3_600_000,
  warmupMs: 300_000,
  toleratedBytesPerHour: 0,
  reconnect: { kind: "never" },
  expectedCloses: [],
  resources: { threads: 1, seed: 1, part: undefined },
};

/** An hour, a point every ten seconds. */
function hourOf(change: (point: SoakPoint, hours: number) => SoakPoint): SoakPoint[] {
  const noise = normalOf(7);
  return Array.from({ length: 360 }, (_, i) =>
    change(
      {
        seconds: 10 * i,
        memoryBytes: 80 * miB + miB * noise(),
        heapBytes: null,
        descriptors: 70,
        cpuPercent: 20 + noise(),
        p99Us: 1000 + 50 * noise(),
        messagesPerSecond: 100,
        open: 50,
      },
      i / 360,
    ),
  );
}

function conclude(
  points: readonly SoakPoint[],
  counters = {},
  changes: Partial<SoakOptions> = {},
): SoakReport {
  const outcome = exampleOutcome([
    exampleStep("soak", 0, 3_600_000, { groups: { clients: exampleFigures(counters) } }),
  ]);
  const settings = { ...options, ...changes };
  return concludeSoak(settings, documentHead(settings, outcome), points, outcome, []);
}

describe("soakScenario", () => {
  it("replaces connections after random times, and ignores the warm-up", () => {
    const { groups, timeline } = soakScenario(options);
    assert.deepEqual(groups[0]?.population.lifetime, { kind: "exponential", meanMs: 30_000 });
    assert.deepEqual(
      timeline.map(({ measured }) => measured),
      [false, true],
    );
  });
});

describe("concludeSoak", () => {
  it("shows no leak in noise, and says how much is excluded", () => {
    const report = conclude(hourOf((point) => point));
    assert.equal(report.memory.verdict, "none");
    assert.ok((report.memory.slope?.high ?? miB) < miB);
    assert.equal(report.heap.verdict, "unknown");
    assert.deepEqual(report.failures, []);
    assert.deepEqual(report.warnings, []);
    soakSchema.parse(report);
  });

  it("fails on memory and descriptors that grow, unless so much is tolerated", () => {
    const growing = hourOf((point, hours) => ({
      ...point,
      memoryBytes: (point.memoryBytes ?? 0) + 30 * miB * hours,
      descriptors: 70 + Math.floor(60 * hours),
    }));
    const report = conclude(growing);
    assert.equal(report.memory.verdict, "leak");
    assert.ok(Math.abs((report.memory.slope?.perHour ?? 0) / (30 * miB) - 1) < 0.1);
    assert.equal(report.failures.length, 2);
    assert.match(report.failures.join(), /memory: it seems to leak .*descriptors: they seem to leak 60/);
    const tolerant = conclude(growing, {}, { toleratedBytesPerHour: 40 * miB });
    assert.doesNotMatch(tolerant.failures.join(), /memory/);
  });

  it("warns of latency that drifts, not of CPU time that does not", () => {
    const report = conclude(
      hourOf((point, hours) => ({ ...point, p99Us: (point.p99Us ?? 0) * (1 + hours) })),
    );
    assert.equal(report.p99.verdict, "rising");
    assert.equal(report.cpu.verdict, "steady");
    assert.match(report.warnings.join(), /Latency drifts: p99 went from 1\.1\d ms .* to 1\.8\d ms/);
  });

  it("fails on lost echoes, and on connections that failed or were closed", () => {
    const points = hourOf((point) => point);
    assert.deepEqual(conclude(points, { lost: 2, failed: 1, closed: 3 }).failures, [
      "2 echoes were lost",
      "1 connection failed",
      "3 connections were closed",
    ]);
  });
});

describe("SoakTrack", () => {
  const progress: SessionProgress = {
    phase: "step",
    step: "soak",
    openConnections: 50,
    messagesPerSecond: 100,
    p99Us: 1000,
    p50Us: 500,
    errorCount: 0,
    leftMs: 1000,
    totalMs: 2000,
  };

  it("keeps a bounded number of points, and the lowest memory of those that it folds", async () => {
    let nowMs = 0;
    let memory = 0;
    const track = new SoakTrack(() => nowMs);
    const sampler = track.watch(
      {
        source: "pid",
        cpus: null,
        periodMs: 1000,
        sample: () =>
          Promise.resolve(exampleSample(nowMs / 1000, { rssBytes: memory, cpuSeconds: nowMs / 10_000 })),
      },
      5000,
    );
    assert.equal(sampler.periodMs, 5000);
    await sampler.sample(() => 0);
    assert.equal(track.points.length, 0, "the warm-up is not kept");
    track.start();
    for (let i = 0; i < 5000; i += 1) {
      nowMs += 1000;
      memory = i % 2 === 0 ? 10 : 30;
      track.onProgress({ ...progress, p99Us: 1000 + (i % 3) });
      await sampler.sample(() => 0);
    }
    assert.ok(track.points.length <= 4000 && track.points.length > 1500, `${track.points.length} points`);
    const [first] = track.points;
    assert.equal(first?.memoryBytes, 10);
    assert.equal(first?.seconds, 1.5);
    assert.ok(Math.abs((first?.cpuPercent ?? 0) - 10) < 1e-6);
    assert.equal(first?.open, 50);
  });
});

describe("the reports of soak", () => {
  const document = conclude(hourOf((point) => point));

  it("says what is excluded, within 80 columns", () => {
    const text = formatSoak(document, { ...plainLook, width: 80 });
    assert.match(text, /^memory +no leak shown, more than \d+(\.\d+)? KiB\/h excluded/m);
    assert.match(text, /^latency p99 +steady/m);
    for (const line of text.split("\n")) {
      assert.ok(line.length <= 80, line);
    }
  });

  it("is a page with plots of what is known, and CSV without its points", () => {
    const report = (format: "csv" | "html"): string =>
      soakReports.report([{ name: "soak.json", text: JSON.stringify(document) }], {
        format,
        service: false,
        look: plainLook,
      });
    assert.match(report("html"), /no leak shown/);
    assert.match(report("html"), /data-plot="3"/);
    assert.doesNotMatch(report("html"), /data-plot="4"/);
    assert.doesNotMatch(report("csv"), /points/);
  });
});
