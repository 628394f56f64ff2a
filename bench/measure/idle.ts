// The scenario of `idle`, and its conclusion: the cost of an idle connection.

import { formatNumber, formatPercent } from "../../src/lib/format.ts";
import { maxKnown } from "../result/aggregate.ts";
import {
  type IdleReport,
  type IdleStep,
  idleKind,
  idleVersion,
  type Memory,
  memoryMeasures,
  ownBytes,
  processBytes,
} from "../result/idle.ts";
import { bytes, count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { fewestPoints, interceptOf, type Point, type Slope, theilSen } from "../result/trend.ts";
import type { Piece } from "../scenario/curve.ts";
import { type Reconnect, steadyPopulation } from "../scenario/population.ts";
import {
  defaultGuards,
  type Resources,
  type Scenario,
  type Step,
  type Target,
} from "../scenario/scenario.ts";
import type { ServerSample } from "../target/sampler.ts";
import {
  commonFailures,
  countedFailure,
  countOf,
  cpuPercentOf,
  documentHead,
  outcomeWarnings,
  samplesOf,
  settled,
} from "./document.ts";
import type { SessionOutcome, StepOutcome } from "./session.ts";

export interface IdleOptions {
  readonly label: string | null;
  readonly target: Target;
  /** Numbers of connections to hold, ascending. */
  readonly steps: readonly number[];
  readonly holdMs: number;
  readonly connectionsPerSecond: number;
  readonly pingIntervalMs: number | undefined;
  readonly reconnect: Reconnect;
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
}

/** The one group of connections. */
const group = "idle";
/** Maximum duration without connections, before and after the holds. */
const mostRestMs = 3000;
const lateMs = 100;
/** A confidence interval wider than this share of the slope is too wide to plan with. */
const wideShare = 0.25;
const giB = 2 ** 30;
const usPerSecond = 1e6;

/** Names of the steps that hold connections. */
const holdName = (connections: number | string): string => `hold ${connections}`;

export function idleScenario(options: IdleOptions): Scenario {
  const { target, steps, holdMs, connectionsPerSecond, pingIntervalMs, resources } = options;
  const step = (name: string, durationMs: number, measured: boolean): Step => ({
    name,
    durationMs,
    measured,
    abortIf: [],
  });
  const rampMs = (from: number, to: number): number => (1000 * Math.abs(to - from)) / connectionsPerSecond;
  const restMs = Math.min(mostRestMs, holdMs);
  const size: Piece[] = [{ durationMs: restMs, from: 0, to: 0 }];
  const timeline = [step("before", restMs, false)];
  let from = 0;
  for (const to of steps) {
    size.push({ durationMs: rampMs(from, to), from, to }, { durationMs: holdMs, from: to, to });
    timeline.push(step(`open ${to}`, rampMs(from, to), false), step(holdName(to), holdMs, true));
    from = to;
  }
  // What is open at the end of a step is counted a moment late: the last hold is over before the first one leaves.
  size.push({ durationMs: lateMs, from, to: from }, { durationMs: rampMs(from, 0), from, to: 0 });
  timeline.push(step("close", lateMs + rampMs(from, 0), false), step("after", 2 * restMs, false));
  return {
    target,
    groups: [
      {
        name: group,
        population: steadyPopulation(0, {
          size,
          reconnect: options.reconnect,
          expectedCloses: options.expectedCloses,
        }),
        traffic:
          pingIntervalMs === undefined ? { kind: "idle" } : { kind: "ping", intervalMs: pingIntervalMs },
      },
    ],
    timeline,
    guards: defaultGuards(from),
    resources,
  };
}

/** Expected duration of the scenario. */
export function lengthOf({ timeline }: Scenario): number {
  return timeline.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** Metrics for thresholds. */
export const idleMetrics = metricsOf<Omit<IdleReport, "thresholds" | "failures" | "warnings">>({
  process: bytes(({ process }) => process?.bytesPerConnection ?? null),
  kernel: bytes(({ kernel }) => kernel?.bytesPerConnection ?? null),
  each: bytes(({ process, kernel }) =>
    process === null || kernel === null ? null : process.bytesPerConnection + kernel.bytesPerConnection,
  ),
  failed: count(({ connections }) => connections.failed),
  closed: count(({ connections }) => connections.closed),
  lostPings: count(({ lostPings }) => lostPings),
  "ping.p99": time(({ steps }) => maxKnown(steps.map(({ pingP99Us }) => pingP99Us))),
  "ping.cpu": time(({ pingCpu }) => pingCpu?.us ?? null),
});

export function concludeIdle(
  options: IdleOptions,
  outcome: SessionOutcome,
  thresholds: readonly Threshold[],
): IdleReport {
  const steps = outcome.steps.filter(({ measured, complete }) => measured && complete).map(stepOf);
  const before = memoryOf(samplesOf(outcome, "before"));
  const parts = options.resources.part?.of ?? 1;
  const process = processSlope(outcome, steps, parts);
  const kernel = kernelSlope(outcome, steps, parts);
  const measured = {
    kind: idleKind,
    version: idleVersion,
    ...documentHead(options, outcome),
    holdMs: options.holdMs,
    connectionsPerSecond: options.connectionsPerSecond,
    pingIntervalMs: options.pingIntervalMs ?? null,
    process,
    kernel,
    connectionsPerGiB: capacityOf(process, kernel, steps, parts),
    pingCpu: pingCpuOf(steps, parts),
    before,
    steps,
    after: afterOf(outcome, before, steps),
    connections: {
      opened: countOf(outcome, "opened"),
      failed: countOf(outcome, "failed"),
      closed: countOf(outcome, "closed"),
      reconnected: countOf(outcome, "reconnected"),
    },
    lostPings: countOf(outcome, "lostPings"),
    unasked: countOf(outcome, "received"),
  } as const;
  const judged = { ...measured, thresholds: evaluateThresholdsOf(idleMetrics, thresholds, measured) };
  return {
    ...judged,
    failures: failuresOf(judged),
    warnings: [...warningsOf(judged, parts), ...outcomeWarnings(options.target, outcome)],
  };
}

function stepOf({ name, groups, fromMs, untilMs, server }: StepOutcome): IdleStep {
  const figures = groups[group];
  const { counters, distributions, openConnections = 0 } = figures ?? {};
  const ping = distributions?.ping?.latencyUs;
  return {
    connections: Number(name.slice(holdName("").length)),
    open: openConnections,
    seconds: (untilMs - fromMs) / 1000,
    memory: memoryOf(server?.samples ?? []),
    serverCpuPercent: cpuPercentOf(server?.samples ?? []),
    pings: counters?.pings ?? 0,
    pongs: counters?.pongs ?? 0,
    pingP50Us: ping?.p50 ?? null,
    pingP99Us: ping?.p99 ?? null,
  };
}

/** The lowest values after settling: the rest is garbage, not memory that connections hold. */
function memoryOf(samples: readonly ServerSample[]): Memory {
  const kept = settled(samples);
  const lowest = (read: (sample: ServerSample) => number | null | undefined): number | null => {
    const values = kept.flatMap((sample) => read(sample) ?? []);
    return values.length === 0 ? null : Math.min(...values);
  };
  return {
    rssBytes: lowest(({ rssBytes }) => rssBytes),
    pssBytes: lowest(({ memory }) => memory?.pssBytes),
    anonymousBytes: lowest(({ memory }) => memory?.anonymousBytes),
    kernelBytes: lowest(({ memory }) => memory?.kernel && memory.kernel.slabBytes + memory.kernel.tcpBytes),
  };
}

/** Slope of a figure over the number of open connections; undefined if unknown or from too few steps. */
function slopeOf(
  steps: readonly IdleStep[],
  parts: number,
  read: (memory: Memory) => number | null,
): Slope | undefined {
  const points = pointsOf(steps, parts, read);
  return points.length < steps.length ? undefined : theilSen(points);
}

/** @param parts generators that hold as many connections each: the server's figures are of all of them */
function pointsOf(
  steps: readonly IdleStep[],
  parts: number,
  read: (memory: Memory) => number | null,
): Point[] {
  return steps.flatMap(({ open, memory }) => {
    const y = read(memory);
    return y === null ? [] : [{ x: parts * open, y }];
  });
}

function processSlope(
  outcome: SessionOutcome,
  steps: readonly IdleStep[],
  parts: number,
): IdleReport["process"] {
  const source = outcome.steps.find(({ server }) => server !== undefined)?.server?.source;
  for (const measure of memoryMeasures) {
    const slope = slopeOf(steps, parts, (memory) => processBytes(memory, measure));
    if (slope !== undefined && source !== undefined) {
      return { ...perConnection(slope, 1), source, measure };
    }
  }
  return null;
}

/** With both ends on this machine, the kernel holds the memory of both. */
function kernelSlope(
  { locality }: SessionOutcome,
  steps: readonly IdleStep[],
  parts: number,
): IdleReport["kernel"] {
  const slope = slopeOf(steps, parts, ({ kernelBytes }) => kernelBytes);
  return slope === undefined ? null : perConnection(slope, locality.local ? 2 : 1);
}

function perConnection({ center, low, high, confidence }: Slope, ends: number) {
  return { bytesPerConnection: center / ends, low: low / ends, high: high / ends, confidence };
}

/** Number of connections that fit into 1 GiB beside the process itself. */
function capacityOf(
  process: IdleReport["process"],
  kernel: IdleReport["kernel"],
  steps: readonly IdleStep[],
  parts: number,
): number | null {
  if (process === null || kernel === null) {
    return null;
  }
  // Resident memory without connections, file pages included: a container's limit counts them.
  const points = pointsOf(steps, parts, ({ rssBytes }) => rssBytes);
  const base = points.length === 0 ? 0 : Math.max(0, interceptOf(points, process.bytesPerConnection));
  const each = process.bytesPerConnection + kernel.bytesPerConnection;
  return each > 0 && base < giB ? Math.floor((giB - base) / each) : null;
}

function pingCpuOf(steps: readonly IdleStep[], parts: number): IdleReport["pingCpu"] {
  const points = steps.flatMap(({ pongs, seconds, serverCpuPercent }) =>
    serverCpuPercent === null || pongs === 0
      ? []
      : [{ x: (parts * pongs) / seconds, y: (serverCpuPercent / 100) * usPerSecond }],
  );
  const slope = theilSen(points);
  return slope === undefined
    ? null
    : { us: slope.center, low: slope.low, high: slope.high, confidence: slope.confidence };
}

function afterOf(outcome: SessionOutcome, before: Memory, steps: readonly IdleStep[]): IdleReport["after"] {
  const samples = samplesOf(outcome, "after");
  if (samples.length === 0) {
    return null;
  }
  const memory = memoryOf(samples);
  const [low, high, now] = [
    ownBytes(before),
    maxKnown(steps.map((step) => ownBytes(step.memory))),
    ownBytes(memory),
  ];
  const grown = low === null || high === null ? 0 : high - low;
  return { memory, share: grown > 0 && high !== null && now !== null ? (high - now) / grown : null };
}

type Judged = Omit<IdleReport, "failures" | "warnings">;

function failuresOf(report: Judged): string[] {
  const { connections, lostPings, steps } = report;
  const short = steps.filter(({ connections: asked, open }) => open < asked).length;
  return [
    ...commonFailures(report),
    ...countedFailure(connections.failed, "connection failed", "connections failed"),
    ...countedFailure(connections.closed, "connection was closed", "connections were closed"),
    ...countedFailure(lostPings, "ping had no answer", "pings had no answer"),
    ...countedFailure(
      connections.failed + connections.closed === 0 ? short : 0,
      "step had not all its connections",
      "steps had not all their connections",
    ),
  ];
}

function warningsOf({ process, kernel, steps, target, unasked, pingCpu }: Judged, parts: number): string[] {
  const known = steps.length > 0 && steps.every(({ memory }) => memory.rssBytes !== null);
  const distinct = new Set(steps.map(({ open }) => open)).size;
  return [
    parts > 1 &&
      known &&
      `One of ${parts} generators: what a connection costs is right only if all of them held as many.`,
    steps.length > 0 &&
      !known &&
      "The server's memory could not be read: give --pid, or --metrics-url of a page with process_resident_memory_bytes.",
    known && distinct < fewestPoints && `Only ${distinct} steps: a slope takes at least ${fewestPoints}.`,
    process !== null && imprecise("The process's part", process),
    kernel !== null && imprecise("The kernel's part", kernel),
    kernel !== null &&
      target.local &&
      "Both ends of each connection are on this machine: the kernel's part is half of what they use together.",
    pingCpu !== null &&
      pingCpu.low <= 0 &&
      "Pings cost too little CPU time to tell it from the rest: ping more often.",
    unasked > 0 && `${formatNumber(unasked)} messages came, although none were sent.`,
  ].filter((warning) => warning !== false);
}

function imprecise(
  what: string,
  { bytesPerConnection, low, high }: { bytesPerConnection: number; low: number; high: number },
): string | false {
  if (low <= 0) {
    return `${what} may be zero: take larger steps, or hold them for longer.`;
  }
  return (
    high - low > wideShare * bytesPerConnection &&
    `${what} is known to ${formatPercent((100 * (high - low)) / bytesPerConnection)} only: take more and larger steps.`
  );
}
