// The scenario of `drain`, and its conclusion: whether a server's shutdown lost messages.

import { formatNumber } from "../../src/lib/format.ts";
import {
  type DrainReport,
  type DrainSecond,
  type DrainTrigger,
  drainKind,
  drainVersion,
} from "../result/drain.ts";
import { count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { constant } from "../scenario/curve.ts";
import { type Reconnect, steadyPopulation } from "../scenario/population.ts";
import { defaultGuards, type Resources, type Scenario, type Target } from "../scenario/scenario.ts";
import { commonFailures, countedFailure, countOf, documentHead, outcomeWarnings } from "./document.ts";
import type { GroupFigures } from "./figures.ts";
import type { SessionOutcome, StepOutcome } from "./session.ts";

export interface DrainOptions {
  readonly label: string | null;
  readonly target: Target;
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly payload: Uint8Array;
  /** Duration of the load before the drain. */
  readonly atMs: number;
  /** Duration of the load after that. */
  readonly forMs: number;
  readonly reconnect: Reconnect;
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
}

export const drainStep = "drain";
const group = "clients";
/** The code of a connection that ended without a close frame (RFC 6455 section 7.1.5). */
const abnormal = 1006;

export function drainScenario(options: DrainOptions): Scenario {
  const { target, connections, ratePerSecond, payload, atMs, forMs, resources } = options;
  return {
    target,
    groups: [
      {
        name: group,
        population: steadyPopulation(connections, {
          reconnect: options.reconnect,
          expectedCloses: options.expectedCloses,
        }),
        traffic: {
          kind: "echo",
          loop: { kind: "open", rate: constant(ratePerSecond), arrivals: "even" },
          // Full verification identifies each reply's message, which reveals missing earlier ones.
          messages: { payloads: [{ content: payload, weight: 1 }], type: "binary", verify: "full" },
          match: "fifo",
          // Distinguishes messages that crossed a close frame from lost ones.
          fence: true,
        },
      },
    ],
    timeline: [
      { name: "before", durationMs: atMs, measured: true, abortIf: [] },
      { name: drainStep, durationMs: forMs, measured: true, abortIf: [] },
    ],
    guards: { ...defaultGuards(connections), goneAfterMs: atMs + forMs },
    resources,
  };
}

type Measured = Omit<DrainReport, "thresholds" | "failures" | "warnings">;

/** Metrics for thresholds. */
export const drainMetrics = metricsOf<Measured>({
  lost: count(({ messages }) => messages.lost),
  crossed: count(({ messages }) => messages.crossed),
  unsent: count(({ messages }) => messages.unsent),
  failed: count(({ failed }) => failed),
  absent: count(({ gaps }) => gaps.absent),
  "gap.p50": time(({ gaps }) => gaps.latencyUs?.p50 ?? null),
  "gap.p99": time(({ gaps }) => gaps.latencyUs?.p99 ?? null),
  "gap.max": time(({ gaps }) => gaps.latencyUs?.max ?? null),
  "after.p99": time(({ after }) => after?.p99 ?? null),
});

/** @param trigger undefined if the session ended first */
export function concludeDrain(
  options: DrainOptions,
  outcome: SessionOutcome,
  trigger: DrainTrigger,
  thresholds: readonly Threshold[],
): DrainReport {
  const [before, during] = ["before", drainStep].map((name) => figuresOfStep(outcome, name));
  const head = documentHead(options, outcome);
  const measured: Measured = {
    kind: drainKind,
    version: drainVersion,
    ...head,
    partial: isExpectedEnd(options, outcome) ? null : head.partial,
    load: {
      connections: options.connections,
      ratePerSecond: options.ratePerSecond,
      payloadBytes: options.payload.length,
    },
    trigger,
    messages: messagesOf(outcome),
    gaps: {
      back: countOf(outcome, "reconnected"),
      absent: during?.absentClients ?? 0,
      latencyUs: during?.distributions.gap?.latencyUs ?? null,
      histogram: during?.distributions.gap?.histogram ?? null,
    },
    failed: during?.counters.failed ?? 0,
    before: before?.distributions.latency?.latencyUs ?? null,
    after: during?.distributions.latency?.latencyUs ?? null,
    seconds: outcome.steps.flatMap(secondsOf),
  };
  const judged = { ...measured, thresholds: evaluateThresholdsOf(drainMetrics, thresholds, measured) };
  return {
    ...judged,
    failures: failuresOf(options, judged),
    warnings: [...warningsOf(judged), ...outcomeWarnings(options.target, outcome)],
  };
}

function figuresOfStep({ steps }: SessionOutcome, step: string): GroupFigures | undefined {
  return steps.find(({ name }) => name === step)?.groups[group];
}

/** Without reconnects, the session ends with the last connection. */
function isExpectedEnd({ reconnect }: DrainOptions, { endedEarly, steps }: SessionOutcome): boolean {
  return (
    endedEarly?.cause === "target-gone" &&
    reconnect.kind === "never" &&
    steps.some(({ name }) => name === drainStep)
  );
}

function messagesOf(outcome: SessionOutcome): DrainReport["messages"] {
  const [sent, unsent, answered, lost, crossed, corrupt] = (
    ["sent", "unsent", "answered", "lost", "crossed", "corrupt"] as const
  ).map((counter) => countOf(outcome, counter)) as [number, number, number, number, number, number];
  return {
    due: sent + unsent,
    sent,
    accepted: sent - crossed,
    answered,
    lost,
    crossed,
    unsent,
    corrupt,
  };
}

function secondsOf({ fromMs, groups }: StepOutcome): DrainSecond[] {
  return (groups[group]?.seconds ?? []).map(({ endSeconds, counters, latencyUs, openConnections }) => ({
    endSeconds: fromMs / 1000 + endSeconds,
    answered: counters.received,
    p99Us: latencyUs?.p99 ?? null,
    open: openConnections,
    closed: counters.closed + counters.closedExpected,
    failed: counters.failed,
  }));
}

type Judged = Omit<DrainReport, "failures" | "warnings">;

function failuresOf({ reconnect }: DrainOptions, report: Judged): string[] {
  const { messages, closes, gaps, trigger, errors } = report;
  const cut = closes.filter(({ code }) => code === abnormal).reduce((sum, close) => sum + close.count, 0);
  const other = Object.entries(errors).filter(([kind]) => /^closed-(?!1006)/.test(kind));
  return [
    ...commonFailures(report),
    ...countedFailure(messages.lost, "echo was lost", "echoes were lost"),
    ...countedFailure(messages.corrupt, "echo was corrupt", "echoes were corrupt"),
    ...countedFailure(cut, "connection ended with 1006", "connections ended with 1006"),
    ...other.flatMap(([kind, times]) =>
      countedFailure(
        times,
        `connection ended with ${kind.slice(7)}`,
        `connections ended with ${kind.slice(7)}`,
      ),
    ),
    ...(reconnect.kind === "never"
      ? []
      : countedFailure(gaps.absent, "client did not come back", "clients did not come back")),
    ...(trigger.kind === "exec" && trigger.exitCode !== null && trigger.exitCode !== 0
      ? [`the command ended with exit code ${trigger.exitCode}`]
      : []),
  ];
}

function warningsOf({ messages, closes, trigger }: Judged): string[] {
  return [
    closes.length === 0 &&
      "No connection was closed by the target: the drain did not reach the server that had them, or it takes longer than --for.",
    messages.crossed > 0 &&
      `${formatNumber(messages.crossed)} messages crossed a close frame: the server had sent it before it read them, and RFC 6455 ` +
        "lets no echo follow it. A client sends such messages again.",
    trigger.kind === "exec" &&
      trigger.seconds === null &&
      "The command was still running at the end, and was ended.",
    trigger.kind === "signal" && trigger.seconds === null && "The process was still there at the end.",
  ].filter((warning) => warning !== false);
}
