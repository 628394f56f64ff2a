// Creates valid outcomes of sessions, which a test changes in one way.

import { type CounterName, counterNames, distributionNames } from "../../bench/load/metrics.ts";
import type { GroupFigures } from "../../bench/measure/figures.ts";
import type { SessionOutcome, StepOutcome } from "../../bench/measure/session.ts";
import { encodeHistogram, latencyOf } from "../../bench/result/histogram.ts";
import type { Target } from "../../bench/scenario/scenario.ts";
import type { MemorySample, ServerSample } from "../../bench/target/sampler.ts";
import { exampleResult, histogramOf } from "./result.ts";

export const exampleTarget: Target = {
  url: "ws://127.0.0.1:9998/echo",
  headers: [],
  subprotocols: [],
  origin: undefined,
  deflate: false,
  timeoutMs: 1000,
  engine: "raw",
};

/** Figures that are 0, except the given ones. */
export function exampleFigures(
  counters: Partial<Record<CounterName, number>> = {},
  changes: Partial<GroupFigures> = {},
): GroupFigures {
  return {
    counters: { ...noCounters(), ...counters },
    distributions: noDistributions(),
    closes: [],
    seconds: [],
    openConnections: 0,
    absentClients: 0,
    ...changes,
  };
}

export function noCounters(): Record<CounterName, number> {
  return Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>;
}

function noDistributions(): GroupFigures["distributions"] {
  const entries = distributionNames.map((name) => [name, null]);
  return Object.fromEntries(entries) as GroupFigures["distributions"];
}

/** A distribution of the given latencies. */
export function timedFigures(latenciesUs: readonly number[]) {
  const latency = histogramOf(latenciesUs);
  const latencyUs = latencyOf(latency);
  if (latencyUs === null) {
    throw new RangeError("a distribution has at least one latency");
  }
  return { latencyUs, histogram: encodeHistogram(latency.histogram, 1) };
}

/** A sample of a server in one process. */
export function exampleSample(
  takenSeconds: number,
  changes: Partial<ServerSample> = {},
  memory: Partial<MemorySample> = {},
): ServerSample {
  return {
    takenNs: takenSeconds * 1e9,
    cpuSeconds: 0,
    threadCpuSeconds: null,
    waitedSeconds: null,
    rssBytes: 80_000_000,
    bufferedBytes: null,
    droppedMessages: null,
    receivedMessages: null,
    workers: 1,
    replicas: 1,
    memory: {
      pssBytes: null,
      anonymousBytes: null,
      heapBytes: null,
      descriptors: null,
      kernel: null,
      ...memory,
    },
    ...changes,
  };
}

export function exampleStep(
  name: string,
  fromMs: number,
  durationMs: number,
  changes: Partial<StepOutcome> = {},
): StepOutcome {
  const { client, machine } = exampleResult();
  if (machine === null) {
    throw new RangeError("the example has a machine");
  }
  return {
    name,
    measured: true,
    fromMs,
    untilMs: fromMs + durationMs,
    complete: true,
    groups: {},
    client,
    machine,
    server: undefined,
    ...changes,
  };
}

export function exampleOutcome(
  steps: readonly StepOutcome[],
  changes: Partial<SessionOutcome> = {},
): SessionOutcome {
  return {
    startedAt: new Date("2026-11-24T15:00:00.000Z"),
    environment: exampleResult().environment,
    locality: { local: true, overIpv4Loopback: true },
    connect: {},
    steps,
    endedEarly: null,
    seed: 1,
    payloadSha256: {},
    errors: {},
    ...changes,
  };
}
