// The scenario of `slow`, and its conclusion: how slow readers affect a server and other connections.

import { formatBytes } from "../../src/lib/format.ts";
import { maxKnown } from "../result/aggregate.ts";
import { type Reaction, type SlowPhase, type SlowReport, slowKind, slowVersion } from "../result/slow.ts";
import { bytes, count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { constant } from "../scenario/curve.ts";
import { type Reconnect, steadyPopulation } from "../scenario/population.ts";
import { defaultGuards, type Resources, type Scenario, type Target } from "../scenario/scenario.ts";
import type { ServerSample } from "../target/sampler.ts";
import {
  commonFailures,
  countedFailure,
  countOf,
  cpuPercentOf,
  documentHead,
  outcomeWarnings,
  samplesOf,
} from "./document.ts";
import type { SessionOutcome } from "./session.ts";

export interface SlowOptions {
  readonly label: string | null;
  readonly target: Target;
  readonly neighbours: number;
  readonly neighbourRate: number;
  readonly neighbourPayload: Uint8Array;
  readonly readers: number;
  /** Bytes per second of each reader. */
  readonly readRate: number;
  /** Messages per second of all readers. */
  readonly readerRate: number;
  readonly readerPayload: Uint8Array;
  readonly beforeMs: number;
  readonly duringMs: number;
  /** Of the slow readers. */
  readonly reconnect: Reconnect;
  /** Of the others. */
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
}

const names = { neighbours: "neighbours", readers: "readers" } as const;
/** Expected codes: any end of a slow reader is a finding, not an error. */
const readerCloses = [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013];
/** The server buffers if its memory grows by at least this share of the unread bytes. */
const noticeableShare = 0.2;
/** Growth of the server's memory below this is noise. */
const noiseBytes = 1024 * 1024;

export function slowScenario(options: SlowOptions): Scenario {
  const { target, neighbours, readers, beforeMs, duringMs, resources } = options;
  return {
    target,
    groups: [
      {
        name: names.neighbours,
        population: steadyPopulation(neighbours, { expectedCloses: options.expectedCloses }),
        traffic: {
          kind: "echo",
          loop: { kind: "open", rate: constant(options.neighbourRate), arrivals: "even" },
          messages: {
            payloads: [{ content: options.neighbourPayload, weight: 1 }],
            type: "binary",
            verify: "length",
          },
          match: "fifo",
        },
      },
      {
        name: names.readers,
        population: steadyPopulation(readers, {
          size: [
            { durationMs: beforeMs, from: 0, to: 0 },
            { durationMs: duringMs, from: readers, to: readers },
            { durationMs: 0, from: 0, to: 0 },
          ],
          reconnect: options.reconnect,
          expectedCloses: readerCloses,
        }),
        traffic: {
          kind: "read",
          bytesPerSecond: options.readRate,
          rate: [
            { durationMs: beforeMs, from: 0, to: 0 },
            { durationMs: duringMs, from: options.readerRate, to: options.readerRate },
            { durationMs: 0, from: 0, to: 0 },
          ],
          messages: {
            payloads: [{ content: options.readerPayload, weight: 1 }],
            type: "binary",
            verify: "none",
          },
        },
      },
    ],
    timeline: [
      { name: "before", durationMs: beforeMs, measured: true, abortIf: [] },
      { name: "during", durationMs: duringMs, measured: true, abortIf: [] },
      { name: "after", durationMs: beforeMs, measured: true, abortIf: [] },
    ],
    guards: defaultGuards(neighbours + readers),
    resources,
  };
}

type Measured = Omit<SlowReport, "thresholds" | "failures" | "warnings">;

/** Metrics for thresholds. */
export const slowMetrics = metricsOf<Measured>({
  "before.p99": time(({ before }) => before.neighbours.latencyUs?.p99 ?? null),
  "during.p99": time(({ during }) => during.neighbours.latencyUs?.p99 ?? null),
  "after.p99": time(({ after }) => after.neighbours.latencyUs?.p99 ?? null),
  memory: bytes(({ during }) => during.server.memoryBytes),
  growth: bytes(growthOf),
  buffered: bytes(({ during }) => during.server.bufferedBytes),
  lost: count(({ before, during, after }) =>
    [before, during, after].reduce((sum, { neighbours }) => sum + neighbours.lost, 0),
  ),
  closedReaders: count(({ readers }) => readers.closed),
});

export function concludeSlow(
  options: SlowOptions,
  outcome: SessionOutcome,
  thresholds: readonly Threshold[],
): SlowReport {
  const [before, during, after] = ["before", "during", "after"].map((name) => phaseOf(outcome, name)) as [
    SlowPhase,
    SlowPhase,
    SlowPhase,
  ];
  const readers = readersOf(options, outcome);
  const absorbedBytes = grown(before.server.kernelBytes, during.server.kernelBytes);
  const found = {
    kind: slowKind,
    version: slowVersion,
    ...documentHead(options, outcome),
    neighbours: {
      connections: options.neighbours,
      ratePerSecond: options.neighbourRate,
      payloadBytes: options.neighbourPayload.length,
    },
    readers,
    dropped: droppedIn(outcome),
    absorbedBytes,
    before,
    during,
    after,
  } as const;
  const measured = { ...found, reactions: reactionsOf(found) };
  const judged = { ...measured, thresholds: evaluateThresholdsOf(slowMetrics, thresholds, measured) };
  return {
    ...judged,
    failures: failuresOf(judged),
    warnings: [...warningsOf(judged), ...outcomeWarnings(options.target, outcome)],
  };
}

function readersOf(options: SlowOptions, outcome: SessionOutcome): SlowReport["readers"] {
  const of = (counter: Parameters<typeof countOf>[1]): number => countOf(outcome, counter, names.readers);
  return {
    connections: options.readers,
    readBytesPerSecond: options.readRate,
    ratePerSecond: options.readerRate,
    payloadBytes: options.readerPayload.length,
    sent: of("sent"),
    unsent: of("unsent"),
    sentBytes: of("sent") * options.readerPayload.length,
    readBytes: of("wireReceived"),
    closed: of("closed") + of("closedExpected"),
  };
}

function phaseOf(outcome: SessionOutcome, name: string): SlowPhase {
  const step = outcome.steps.find((each) => each.name === name);
  const figures = step?.groups[names.neighbours];
  const samples = samplesOf(outcome, name);
  const most = (read: (sample: ServerSample) => number | null | undefined): number | null =>
    maxKnown(samples.map((sample) => read(sample) ?? null));
  return {
    seconds: step === undefined ? 0 : (step.untilMs - step.fromMs) / 1000,
    server: {
      memoryBytes: most(({ memory, rssBytes }) => memory?.anonymousBytes ?? rssBytes),
      bufferedBytes: most(({ bufferedBytes }) => bufferedBytes),
      kernelBytes: most(({ memory }) => memory?.kernel?.tcpBytes),
      cpuPercent: cpuPercentOf(samples),
    },
    neighbours: {
      latencyUs: figures?.distributions.latency?.latencyUs ?? null,
      answered: figures?.counters.answered ?? 0,
      lost: figures?.counters.lost ?? 0,
      closed: figures?.counters.closed ?? 0,
    },
  };
}

function droppedIn({ steps }: SessionOutcome): number | null {
  const known = steps.flatMap(({ server }) =>
    (server?.samples ?? []).flatMap(({ droppedMessages }) => droppedMessages ?? []),
  );
  const [first, last] = [known[0], known.at(-1)];
  return first === undefined || last === undefined ? null : last - first;
}

function grown(from: number | null, until: number | null): number | null {
  return from === null || until === null ? null : Math.max(0, until - from);
}

function growthOf({ before, during }: Pick<SlowReport, "before" | "during">): number | null {
  return grown(before.server.memoryBytes, during.server.memoryBytes);
}

function reactionsOf(
  found: Pick<SlowReport, "readers" | "dropped" | "before" | "during" | "absorbedBytes">,
): Reaction[] {
  const { readers, dropped, absorbedBytes } = found;
  const owed = Math.max(0, readers.sentBytes - readers.readBytes);
  const least = Math.max(noiseBytes, noticeableShare * owed);
  const kept = Math.max(growthOf(found) ?? 0, found.during.server.bufferedBytes ?? 0);
  const all: readonly (readonly [Reaction, boolean])[] = [
    ["closes", readers.closed > 0],
    // A server that closes a slow reader drops the message that does not fit.
    ["drops", (dropped ?? 0) > readers.closed],
    // Unsent messages prove nothing if connections ended.
    ["stops-reading", readers.unsent > 0 && readers.closed === 0],
    ["buffers", kept >= least],
  ];
  const seen = all.filter(([, isSeen]) => isSeen).map(([reaction]) => reaction);
  return seen.length === 0 && (absorbedBytes ?? 0) > 0 ? ["absorbed"] : seen;
}

type Judged = Omit<SlowReport, "failures" | "warnings">;

function failuresOf(report: Judged): string[] {
  const phases = [report.before, report.during, report.after];
  const sum = (read: (phase: SlowPhase) => number): number =>
    phases.reduce((all, each) => all + read(each), 0);
  return [
    ...commonFailures(report),
    ...countedFailure(
      sum(({ neighbours }) => neighbours.lost),
      "echo of a neighbour was lost",
      "echoes of neighbours were lost",
    ),
    ...countedFailure(
      sum(({ neighbours }) => neighbours.closed),
      "neighbour was closed",
      "neighbours were closed",
    ),
  ];
}

function warningsOf({ readers, target, absorbedBytes, during, reactions: seen }: Judged): string[] {
  const where = target.local ? "the kernels' buffers of both ends" : "this machine's kernel";
  return [
    readers.sent === 0 && "No slow reader sent anything: no connection was open, or the rate is too low.",
    during.server.memoryBytes === null &&
      "The server's memory is unknown: give --pid, or --metrics-url for buffered bytes, too.",
    absorbedBytes !== null &&
      readers.sent > 0 &&
      `Of what was not read, ${where} took ${formatBytes(absorbedBytes)} before the server noticed. ` +
        "The size of a socket's receive buffer cannot be set from Node: net.ipv4.tcp_rmem bounds it.",
    seen.length === 0 &&
      readers.sent > 0 &&
      "No reaction was seen: send more with --reader-rate or --reader-payload, or read less.",
  ].filter((warning) => warning !== false);
}
