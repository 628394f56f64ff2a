// The scenario of `soak`, and its conclusion: leaks and drift.

import { formatBytes, formatDurationUs, formatElapsed, formatNumber } from "../../src/lib/format.ts";
import { leakOf } from "../result/leak.ts";
import {
  type Drift,
  type Growth,
  type SoakPoint,
  type SoakReport,
  soakKind,
  soakVersion,
} from "../result/soak.ts";
import { median } from "../result/stats.ts";
import { bytes, count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { mannKendall, type Point, type Slope, theilSen } from "../result/trend.ts";
import { constant } from "../scenario/curve.ts";
import { type Reconnect, steadyPopulation } from "../scenario/population.ts";
import { defaultGuards, type Resources, type Scenario, type Target } from "../scenario/scenario.ts";
import { commonFailures, countedFailure, countOf, type DocumentHead, outcomeWarnings } from "./document.ts";
import type { SessionOutcome } from "./session.ts";

export interface SoakOptions {
  readonly label: string | null;
  readonly target: Target;
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly payload: Uint8Array;
  /** Mean time until a connection is replaced; undefined for never. */
  readonly lifetimeMs: number | undefined;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly toleratedBytesPerHour: number;
  readonly reconnect: Reconnect;
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
}

export const soakStep = "soak";
const secondsPerHour = 3600;
/** Drift that is neither chance nor worth less than this part of the first level. */
const leastDrift = 0.1;
const alarm = 0.01;
/** By then caches, code and heaps have reached their size. */
const shortMs = 600_000;
/** Fewer values drift by chance. */
const fewestValues = 20;
/** More values resemble their neighbours: the median of each stretch is taken. */
const mostValues = 60;

export function soakScenario(options: SoakOptions): Scenario {
  const { target, connections, ratePerSecond, payload, lifetimeMs, durationMs, warmupMs, resources } =
    options;
  return {
    target,
    groups: [
      {
        name: "clients",
        population: steadyPopulation(connections, {
          lifetime: lifetimeMs === undefined ? null : { kind: "exponential", meanMs: lifetimeMs },
          reconnect: options.reconnect,
          expectedCloses: options.expectedCloses,
        }),
        traffic: {
          kind: "echo",
          loop: { kind: "open", rate: constant(ratePerSecond), arrivals: "even" },
          messages: { payloads: [{ content: payload, weight: 1 }], type: "binary", verify: "length" },
          match: "fifo",
        },
      },
    ],
    timeline: [
      { name: "warm-up", durationMs: warmupMs, measured: false, abortIf: [] },
      { name: soakStep, durationMs, measured: true, abortIf: [] },
    ],
    guards: defaultGuards(connections),
    resources,
  };
}

type Measured = Omit<SoakReport, "thresholds" | "failures" | "warnings">;

/** Metrics for thresholds. Growth is per hour. */
export const soakMetrics = metricsOf<Measured>({
  "memory.growth": bytes(({ memory }) => memory.slope?.perHour ?? null),
  "heap.growth": bytes(({ heap }) => heap.slope?.perHour ?? null),
  "descriptors.growth": count(({ descriptors }) => descriptors.slope?.perHour ?? null),
  "p99.last": time(({ p99 }) => p99.last),
  lost: count(({ totals }) => totals?.lost ?? null),
  failed: count(({ totals }) => totals?.failed ?? null),
  closed: count(({ totals }) => totals?.closed ?? null),
});

/** @param outcome undefined for a checkpoint: the session has not ended */
export function concludeSoak(
  options: SoakOptions,
  head: DocumentHead,
  points: readonly SoakPoint[],
  outcome: SessionOutcome | undefined,
  thresholds: readonly Threshold[],
): SoakReport {
  const measured: Measured = {
    kind: soakKind,
    version: soakVersion,
    ...head,
    load: {
      connections: options.connections,
      ratePerSecond: options.ratePerSecond,
      payloadBytes: options.payload.length,
      lifetimeMs: options.lifetimeMs ?? null,
    },
    durationMs: options.durationMs,
    warmupMs: options.warmupMs,
    toleratedBytesPerHour: options.toleratedBytesPerHour,
    memory: growthOf(points, ({ memoryBytes }) => memoryBytes),
    heap: growthOf(points, ({ heapBytes }) => heapBytes),
    descriptors: growthOf(points, ({ descriptors }) => descriptors),
    p99: driftOf(points, ({ p99Us }) => p99Us),
    cpu: driftOf(points, ({ cpuPercent }) => cpuPercent),
    totals: outcome === undefined ? null : totalsOf(outcome),
    points: [...points],
  };
  const judged = { ...measured, thresholds: evaluateThresholdsOf(soakMetrics, thresholds, measured) };
  return {
    ...judged,
    failures: failuresOf(judged),
    warnings: [
      ...warningsOf(judged),
      ...(outcome === undefined ? [] : outcomeWarnings(options.target, outcome)),
    ],
  };
}

function totalsOf(outcome: SessionOutcome): SoakReport["totals"] {
  return {
    sent: countOf(outcome, "sent"),
    answered: countOf(outcome, "answered"),
    lost: countOf(outcome, "lost"),
    opened: countOf(outcome, "opened"),
    failed: countOf(outcome, "failed"),
    closed: countOf(outcome, "closed"),
    expired: countOf(outcome, "expired"),
  };
}

function trackOf(points: readonly SoakPoint[], read: (point: SoakPoint) => number | null): Point[] {
  return points.flatMap((point) => {
    const y = read(point);
    return y === null ? [] : [{ x: point.seconds, y }];
  });
}

function perHour({ center, low, high, confidence }: Slope) {
  return {
    perHour: center * secondsPerHour,
    low: low * secondsPerHour,
    high: high * secondsPerHour,
    confidence,
  };
}

function growthOf(points: readonly SoakPoint[], read: (point: SoakPoint) => number | null): Growth {
  const track = trackOf(points, read);
  if (track.length === 0) {
    return { verdict: "unknown", slope: null, probability: null, lows: 0 };
  }
  const { verdict, slope, probability, lows } = leakOf(track);
  return { verdict, slope: slope === null ? null : perHour(slope), probability, lows: lows.length };
}

function driftOf(points: readonly SoakPoint[], read: (point: SoakPoint) => number | null): Drift {
  const track = trackOf(points, read);
  const size = Math.ceil(track.length / mostValues);
  const values = Array.from({ length: Math.floor(track.length / Math.max(1, size)) }, (_, i): Point => {
    const stretch = track.slice(i * size, (i + 1) * size);
    return { x: median(stretch.map(({ x }) => x)), y: median(stretch.map(({ y }) => y)) };
  });
  const slope = values.length < fewestValues ? undefined : theilSen(values);
  if (slope === undefined) {
    return { verdict: "unknown", slope: null, probability: null, first: null, last: null };
  }
  const quarter = Math.ceil(values.length / 4);
  const levelOf = (part: readonly Point[]): number => median(part.map(({ y }) => y));
  const [first, last] = [levelOf(values.slice(0, quarter)), levelOf(values.slice(-quarter))];
  const { risingProbability } = mannKendall(values.map(({ y }) => y));
  const isRising = risingProbability < alarm && last > (1 + leastDrift) * first;
  return {
    verdict: isRising ? "rising" : "steady",
    slope: perHour(slope),
    probability: risingProbability,
    first,
    last,
  };
}

type Judged = Omit<SoakReport, "failures" | "warnings">;

function failuresOf(report: Judged): string[] {
  const { memory, heap, descriptors, totals, toleratedBytesPerHour } = report;
  const grows = (
    what: string,
    { verdict, slope }: Growth,
    tolerated: number,
    format: (value: number) => string,
  ) =>
    verdict === "leak" && slope !== null && slope.perHour > tolerated
      ? [`${what} leak ${format(slope.perHour)}/h`]
      : [];
  return [
    ...commonFailures(report),
    ...grows("memory: it seems to", memory, toleratedBytesPerHour, formatBytes),
    ...grows("heap: it seems to", heap, toleratedBytesPerHour, formatBytes),
    ...grows("descriptors: they seem to", descriptors, 0, formatNumber),
    ...countedFailure(totals?.lost ?? 0, "echo was lost", "echoes were lost"),
    ...countedFailure(totals?.failed ?? 0, "connection failed", "connections failed"),
    ...countedFailure(totals?.closed ?? 0, "connection was closed", "connections were closed"),
  ];
}

function warningsOf({ memory, p99, cpu, durationMs }: Judged): string[] {
  const rises = ({ first, last }: Drift, format: (value: number) => string): string =>
    `from ${format(first ?? 0)} in the first quarter to ${format(last ?? 0)} in the last`;
  return [
    memory.verdict === "unknown" && "The server's memory could not be read: give --pid or --metrics-url.",
    memory.verdict === "undecided" &&
      "Memory fell too seldom to tell a leak from a garbage collector that has not run yet: soak for longer.",
    memory.verdict === "leak" &&
      durationMs < shortMs &&
      `A soak of less than ${formatElapsed(shortMs)} takes memory that fills for the first time for a leak: soak for longer.`,
    p99.verdict === "rising" && `Latency drifts: p99 went ${rises(p99, formatDurationUs)}.`,
    cpu.verdict === "rising" &&
      `CPU time drifts: it went ${rises(cpu, (value) => `${formatNumber(value)} %`)}.`,
  ].filter((warning) => warning !== false);
}
