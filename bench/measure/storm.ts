// The scenario of `storm`, and its conclusion: how a server handles many handshakes at once.

import { formatNumber, formatPercent } from "../../src/lib/format.ts";
import type { DistributionName } from "../load/metrics.ts";
import { addHistograms, decodeHistogram, latencyOf } from "../result/histogram.ts";
import type { Latency } from "../result/schema.ts";
import { type StormReport, type StormSecond, stormKind, stormVersion } from "../result/storm.ts";
import { count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { constant } from "../scenario/curve.ts";
import { type Arrivals, type Reconnect, steadyPopulation } from "../scenario/population.ts";
import type { Group, Resources, Scenario, Step, Target } from "../scenario/scenario.ts";
import type { Messages, Traffic } from "../scenario/traffic.ts";
import type { ServerSample } from "../target/sampler.ts";
import {
  commonFailures,
  countedFailure,
  cpuPercentOf,
  documentHead,
  figuresOf,
  outcomeWarnings,
  samplesOf,
} from "./document.ts";
import type { GroupFigures } from "./figures.ts";
import type { SessionOutcome, StepOutcome } from "./session.ts";

export interface StormOptions {
  readonly label: string | null;
  readonly target: Target;
  readonly connections: number;
  /** Undefined: as fast as handshakes complete. */
  readonly ratePerSecond: number | undefined;
  readonly arrivals: Arrivals;
  /** Clients connected before the storm; undefined for none. */
  readonly background: { readonly connections: number; readonly ratePerSecond: number } | undefined;
  /** New clients send it once, background clients continuously. */
  readonly traffic: "echo" | "ping";
  readonly payload: Uint8Array;
  readonly beforeMs: number;
  /** Duration from the start of the storm. */
  readonly durationMs: number;
  readonly reconnect: Reconnect;
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
}

const storm = "storm";
const background = "background";
const before = "before";
/** Maximum of steps, each of whole seconds, that separate the storm's effect from the time after it. */
const mostSteps = 30;
/** Share of clients that must be connected: a few may wait for a long time. */
const settledShare = 0.99;
/** Refused clients retry; up to this many attempts each do not end the session. */
const attemptsPerClient = 100;

export function stormScenario(options: StormOptions): Scenario {
  const { target, connections, ratePerSecond, beforeMs, durationMs, arrivals, resources } = options;
  const rampMs = ratePerSecond === undefined ? 0 : (1000 * connections) / ratePerSecond;
  return {
    target,
    groups: [
      {
        name: storm,
        population: steadyPopulation(0, {
          size: [
            { durationMs: beforeMs, from: 0, to: 0 },
            { durationMs: rampMs, from: 0, to: connections },
          ],
          arrivals,
          reconnect: options.reconnect,
          expectedCloses: options.expectedCloses,
        }),
        traffic: newTraffic(options),
      },
      ...backgroundGroup(options),
    ],
    timeline: [stepOf(before, beforeMs), ...stormSteps(durationMs)],
    guards: {
      goneAfterMs: beforeMs + durationMs,
      maxFailures: attemptsPerClient * (connections + (options.background?.connections ?? 0)),
    },
    resources,
  };
}

function stormSteps(durationMs: number): Step[] {
  const stepMs = 1000 * Math.ceil(durationMs / 1000 / mostSteps);
  return Array.from({ length: Math.ceil(durationMs / stepMs) }, (_, i) =>
    stepOf(`${storm} ${i + 1}`, Math.min(stepMs, durationMs - i * stepMs)),
  );
}

function stepOf(name: string, durationMs: number): Step {
  return { name, durationMs, measured: true, abortIf: [] };
}

function messagesOf({ payload }: StormOptions): Messages {
  return { payloads: [{ content: payload, weight: 1 }], type: "binary", verify: "length" };
}

function newTraffic(options: StormOptions): Traffic {
  return options.traffic === "ping"
    ? { kind: "idle" }
    : { kind: "echo", loop: { kind: "once" }, messages: messagesOf(options), match: "fifo" };
}

function backgroundGroup(options: StormOptions): Group[] {
  if (options.background === undefined) {
    return [];
  }
  const { connections, ratePerSecond } = options.background;
  return [
    {
      name: background,
      population: steadyPopulation(connections, { expectedCloses: options.expectedCloses }),
      traffic:
        options.traffic === "ping"
          ? { kind: "ping", intervalMs: (1000 * connections) / ratePerSecond }
          : {
              kind: "echo",
              loop: { kind: "open", rate: constant(ratePerSecond), arrivals: "even" },
              messages: messagesOf(options),
              match: "fifo",
            },
    },
  ];
}

type Measured = Omit<StormReport, "thresholds" | "failures" | "warnings">;

/** Metrics for thresholds. */
export const stormMetrics = metricsOf<Measured>({
  rate: count(({ handshakes }) => handshakes.perSecond),
  refused: count(({ handshakes }) => handshakes.refused),
  failed: count(({ handshakes }) => handshakes.failed),
  absent: count(({ absent }) => absent),
  closed: count(({ closed }) => closed),
  lost: count(({ messages, background: harmed }) => messages.lost + (harmed?.lost ?? 0)),
  "open.p50": time(({ stages }) => stages.open?.p50 ?? null),
  "open.p99": time(({ stages }) => stages.open?.p99 ?? null),
  "tls.p99": time(({ stages }) => stages.tls?.p99 ?? null),
  "upgrade.p99": time(({ stages }) => stages.upgrade?.p99 ?? null),
  "firstEcho.p99": time(({ stages }) => stages.firstEcho?.p99 ?? null),
  "connected.p99": time(({ stages }) => stages.connected?.p99 ?? null),
  "connected.max": time(({ stages }) => stages.connected?.max ?? null),
  cpu: time(({ server }) => server?.cpuUsPerHandshake ?? null),
  "background.p99": time(({ background: harmed }) => harmed?.during?.p99 ?? null),
  "background.max": time(({ background: harmed }) => harmed?.during?.max ?? null),
  "after.p99": time(({ background: harmed }) => harmed?.after?.p99 ?? null),
});

export function concludeStorm(
  options: StormOptions,
  outcome: SessionOutcome,
  thresholds: readonly Threshold[],
): StormReport {
  const steps = outcome.steps.filter(({ name }) => name !== before);
  const settled = settledSteps(options, steps);
  const during = steps.slice(0, settled ?? steps.length);
  const duringSeconds = secondsIn(during);
  const counters = sumOf(steps, storm);
  const refusals = refusalsOf(steps);
  const refused = refusals.reduce((sum, each) => sum + each.count, 0);
  const handshakes = handshakesIn(during);
  const { of: parts } = options.resources.part ?? { of: 1 };
  const measured: Measured = {
    kind: stormKind,
    version: stormVersion,
    ...documentHead(options, outcome),
    connections: options.connections,
    ratePerSecond: options.ratePerSecond ?? null,
    traffic: options.traffic,
    stormAtSeconds: options.beforeMs / 1000,
    settledSeconds: settled === undefined ? null : duringSeconds,
    handshakes: {
      begun: counters("begun"),
      opened: counters("opened"),
      refused,
      failed: Math.max(0, counters("failed") - refused),
      perSecond: duringSeconds > 0 ? handshakes / duringSeconds : null,
    },
    refusals,
    retryAfter: counters("retryAfter"),
    absent: options.connections - (steps.at(-1)?.groups[storm]?.openConnections ?? 0),
    closed: counters("closed"),
    messages: { sent: counters("sent"), lost: counters("lost"), corrupt: counters("corrupt") },
    stages: stagesOf(options, steps),
    // The server's CPU time is that of the handshakes of all generators.
    server: serverOf(outcome, during, parts * handshakes),
    background: backgroundOf(options, outcome, during, steps.slice(during.length)),
    seconds: outcome.steps.flatMap(secondsOf),
  };
  const judged = { ...measured, thresholds: evaluateThresholdsOf(stormMetrics, thresholds, measured) };
  return {
    ...judged,
    failures: failuresOf(judged),
    warnings: [...warningsOf(judged), ...outcomeWarnings(options.target, outcome)],
  };
}

/** Steps until nearly all clients had a connection; undefined if that never happened. */
function settledSteps({ connections }: StormOptions, steps: readonly StepOutcome[]): number | undefined {
  const at = steps.findIndex(
    ({ groups }) => (groups[storm]?.openConnections ?? 0) >= settledShare * connections,
  );
  return at < 0 ? undefined : at + 1;
}

function secondsIn(steps: readonly StepOutcome[]): number {
  return steps.reduce((sum, { fromMs, untilMs }) => sum + (untilMs - fromMs) / 1000, 0);
}

/** Sums a group's counters over steps. */
function sumOf(steps: readonly StepOutcome[], group: string) {
  return (name: keyof GroupFigures["counters"]): number =>
    steps.reduce((sum, { groups }) => sum + (groups[group]?.counters[name] ?? 0), 0);
}

function refusalsOf(steps: readonly StepOutcome[]): StormReport["refusals"] {
  const byStatus = new Map<number, number>();
  for (const { status, count: refused } of steps.flatMap(({ groups }) => groups[storm]?.closes ?? [])) {
    if (status !== null) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + refused);
    }
  }
  return [...byStatus]
    .map(([status, refused]) => ({ status, count: refused }))
    .sort((a, b) => b.count - a.count);
}

/** Handshakes that the server answered, with a connection or a refusal. */
function handshakesIn(steps: readonly StepOutcome[]): number {
  return sumOf(steps, storm)("opened") + refusalsOf(steps).reduce((sum, each) => sum + each.count, 0);
}

/** Merges a distribution of a group over steps. */
function timesOf(steps: readonly StepOutcome[], group: string, name: DistributionName): Latency | null {
  const parts = steps.flatMap(({ groups }) => groups[group]?.distributions[name] ?? []);
  return parts.length === 0
    ? null
    : latencyOf(addHistograms(parts.map(({ histogram }) => decodeHistogram(histogram))), {
        min: Math.min(...parts.map(({ latencyUs }) => latencyUs.min)),
        max: Math.max(...parts.map(({ latencyUs }) => latencyUs.max)),
      });
}

function stagesOf({ traffic }: StormOptions, steps: readonly StepOutcome[]): StormReport["stages"] {
  const times = (name: DistributionName): Latency | null => timesOf(steps, storm, name);
  return {
    lag: times("connectLag"),
    tcp: times("tcp"),
    tls: times("tls"),
    upgrade: times("upgrade"),
    open: times("open"),
    firstEcho: traffic === "ping" ? null : times("firstEcho"),
    connected: times("absence"),
  };
}

function serverOf(
  outcome: SessionOutcome,
  during: readonly StepOutcome[],
  handshakes: number,
): StormReport["server"] {
  const samples: readonly ServerSample[] = during.flatMap(({ server }) => server?.samples ?? []);
  const percentBefore = cpuPercentOf(samplesOf(outcome, before));
  const percentDuring = cpuPercentOf(samples);
  const [first, last] = [samples[0], samples.at(-1)];
  if (percentBefore === null || percentDuring === null || first === undefined || last === undefined) {
    return null;
  }
  const addedUs = ((percentDuring - percentBefore) / 100) * ((last.takenNs - first.takenNs) / 1000);
  return {
    percentBefore,
    percentDuring,
    cpuUsPerHandshake: handshakes > 0 && addedUs > 0 ? addedUs / handshakes : null,
  };
}

function backgroundOf(
  options: StormOptions,
  outcome: SessionOutcome,
  during: readonly StepOutcome[],
  after: readonly StepOutcome[],
): StormReport["background"] {
  if (options.background === undefined) {
    return null;
  }
  const name = options.traffic === "ping" ? "ping" : "latency";
  const counters = figuresOf(outcome, background).map((figures) => figures.counters);
  return {
    ...options.background,
    before: timesOf(outcome.steps.slice(0, 1), background, name),
    during: timesOf(during, background, name),
    after: timesOf(after, background, name),
    failed: counters.reduce((sum, { failed }) => sum + failed, 0),
    lost: counters.reduce((sum, { lost, unsent, lostPings }) => sum + lost + unsent + lostPings, 0),
    closed: counters.reduce((sum, { closed }) => sum + closed, 0),
  };
}

function secondsOf({ fromMs, groups }: StepOutcome): StormSecond[] {
  const harmed = groups[background]?.seconds ?? [];
  return (groups[storm]?.seconds ?? []).map(({ endSeconds, counters, openConnections }, at) => ({
    endSeconds: fromMs / 1000 + endSeconds,
    begun: counters.begun,
    opened: counters.opened,
    failed: counters.failed,
    open: openConnections,
    backgroundP99Us: harmed[at]?.latencyUs?.p99 ?? null,
  }));
}

type Judged = Omit<StormReport, "failures" | "warnings">;

function failuresOf(report: Judged): string[] {
  const { absent, closed, messages, background: harmed, handshakes } = report;
  return [
    ...commonFailures(report),
    ...countedFailure(absent, "client had no connection at the end", "clients had no connection at the end"),
    ...countedFailure(handshakes.failed, "handshake had no answer", "handshakes had no answer"),
    ...countedFailure(closed, "new connection was closed", "new connections were closed"),
    ...countedFailure(messages.lost, "first echo was lost", "first echoes were lost"),
    ...countedFailure(messages.corrupt, "first echo was corrupt", "first echoes were corrupt"),
    ...countedFailure(
      harmed?.failed ?? 0,
      "connection of the background failed",
      "connections of the background failed",
    ),
    ...countedFailure(
      harmed?.closed ?? 0,
      "connection that was there before was closed",
      "connections that were there before were closed",
    ),
    ...countedFailure(
      harmed?.lost ?? 0,
      "message of those who were there before was lost",
      "messages of those who were there before were lost",
    ),
  ];
}

/** A generator that begins this much of the time late is itself the bottleneck. */
const lateShare = 0.2;

function warningsOf({ stages, settledSeconds, server, seconds }: Judged): string[] {
  const { lag, open } = stages;
  return [
    settledSeconds === null &&
      `Fewer than ${formatPercent(100 * settledShare)} of the clients had a connection at the end: the storm was not over (--duration).`,
    lag !== null &&
      open !== null &&
      lag.p99 > lateShare * open.p99 &&
      `The generator was late itself: p99 ${formatNumber(lag.p99 / 1000)} ms of ${formatNumber(open.p99 / 1000)} ms. Use more --threads or a lower --rate.`,
    server === null &&
      seconds.length > 0 &&
      "The server's CPU time could not be read: give --pid, or --metrics-url.",
  ].filter((warning) => warning !== false);
}
