// Creates a valid Result, which a test changes in one way.

import { randomUUID } from "node:crypto";
import { build } from "hdr-histogram-js";
import { encodeHistogram, latencyOf } from "../../bench/result/histogram.ts";
import { type Result, resultKind, resultVersion } from "../../bench/result/schema.ts";

/** A histogram in nanoseconds of the given latencies. */
export function histogramOf(latenciesUs: readonly number[]) {
  const histogram = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3 });
  for (const latencyUs of latenciesUs) {
    histogram.recordValue(Math.round(latencyUs * 1000));
  }
  return { histogram, unitNs: 1 };
}

/** Latencies from 1 us to 200 us with a long tail, enough for a p99.99. */
function sampleLatenciesUs(): number[] {
  return Array.from({ length: 200_000 }, (_, index) => 1 + 199 * (index / 200_000) ** 8);
}

const sample = histogramOf(sampleLatenciesUs());
const sampleLatency = latencyOf(sample);
const sampleHistogram = encodeHistogram(sample.histogram, 1);

/** A valid closed-loop measurement of a saturated target, with the changes of `change`. */
export function exampleResult(change: (result: Result) => void = () => undefined): Result {
  const result: Result = {
    kind: resultKind,
    version: resultVersion,
    id: randomUUID(),
    command: ["run", "ws://127.0.0.1:9998/echo", "--depth", "16", "--duration", "2s"],
    label: null,
    target: { url: "ws://127.0.0.1:9998/echo", local: true },
    engine: { name: "raw", version: "0.1.0" },
    loop: "closed",
    latencyFrom: "actual-send",
    scenario: {
      connections: 64,
      depth: 16,
      ratePerSecond: null,
      stages: null,
      arrivals: null,
      durationMs: 2000,
      warmupMs: 1000,
      connectionsPerSecond: null,
      payloadBytes: [64],
      type: "binary",
      verify: "length",
      threads: 1,
      timeoutMs: 5000,
      subprotocols: [],
      compression: false,
      fill: "random",
      payloadSha256: null,
      seed: 1,
      part: null,
      generators: 1,
    },
    window: { startedAt: "2026-11-22T12:00:00.000Z", seconds: 2 },
    clock: null,
    partial: null,
    summary: {
      messagesPerSecond: 100_000,
      bytesPerSecond: 6_400_000,
      latencyUs: structuredClone(sampleLatency),
      serviceUs: structuredClone(sampleLatency),
    },
    messages: { due: 200_000, unsent: 0, sent: 200_000, received: 200_000, lost: 0, corrupt: 0 },
    connections: { requested: 64, opened: 64, failed: 0, closedEarly: 0 },
    errors: {},
    firstErrors: {},
    client: {
      cpuUsPerMessage: 4,
      cpuPercent: 40,
      busiestThreadPercent: 40,
      lagUs: null,
      waitedPercent: 0,
      rssBytes: 80_000_000,
      cpus: [0],
    },
    server: {
      source: "pid",
      cpuUsPerMessage: 9.9,
      cpuPercent: 99,
      busiestThreadPercent: 98,
      waitedPercent: 0,
      receivedMessages: 200_000,
      replicas: 1,
      workers: 1,
      rssBytes: 60_000_000,
      maxBufferedBytes: 4096,
      droppedMessages: 0,
      cpus: [1],
    },
    generator: { hiccupUs: { p50: 300, p99: 900, max: 1500 }, dispersion: null },
    connects: null,
    wire: { sentBytes: 14_000_000, receivedBytes: 13_200_000 },
    machine: { loadAverage: 0.5, cores: 2, busyPercent: null, stealPercent: 0, pressurePercent: 2 },
    intervals: null,
    spans: null,
    steps: [],
    probe: null,
    autoWarmup: null,
    closes: [],
    steadiness: { verdict: "too-short", changedAtSeconds: null, figure: null, factor: null },
    series: [1, 2].map((endSeconds) => ({
      endSeconds,
      messagesPerSecond: 100_000,
      bytesPerSecond: 6_400_000,
      p50Us: 2,
      p99Us: 185,
      maxUs: 200,
      lagP99Us: null,
      clientCpuPercent: 40,
      serverCpuPercent: 99,
      serverRssBytes: 60_000_000,
      serverBufferedBytes: 1024 * endSeconds,
    })),
    histograms: { latency: sampleHistogram, service: sampleHistogram, unsent: null },
    parts: [],
    thresholds: [],
    environment: {
      commit: "0123456789abcdef0123456789abcdef01234567",
      dirty: false,
      versions: { "uws-echo-bench": "0.1.0", node: "20.20.2" },
      kernel: "linux 6.1.0",
      distribution: "Debian GNU/Linux 12 (bookworm)",
      architecture: "x64",
      cpuModel: "Test CPU",
      cores: 2,
      cpuGovernor: "performance",
      cpuLimitCores: null,
      memoryBytes: 8 * 1024 ** 3,
      container: null,
      loadAverage: 0.1,
    },
    failures: [],
    warnings: [],
    verdict: "server-bound",
  };
  change(result);
  return result;
}
