// Builds the SessionReport of a session.

import { formatNumber } from "../../src/lib/format.ts";
import { maxKnown } from "../result/aggregate.ts";
import { outlyingParts } from "../result/parts.ts";
import { type SessionGroup, type SessionReport, sessionKind, sessionVersion } from "../result/session.ts";
import { count, evaluateThresholdsOf, metricsOf, type Threshold, time } from "../result/threshold.ts";
import { largestOf } from "../scenario/curve.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { commonFailures, documentHead, outcomeWarnings } from "./document.ts";
import type { GroupFigures } from "./figures.ts";
import type { SessionOutcome, StepOutcome } from "./session.ts";
import { serverPart } from "./usage.ts";

/** Longer series are folded. */
const mostEntries = 3600;

export interface SessionReportOptions {
  readonly label: string | null;
  readonly scenario: Scenario;
  readonly thresholds: readonly Threshold[];
}

type Figures = Pick<SessionReport, "steps" | "groups" | "errors">;

/** Metrics for thresholds: the worst measured step and group, and sums. */
export const sessionMetrics = metricsOf<Figures>({
  p50: time((figures) => worstOf(figures, "p50")),
  p90: time((figures) => worstOf(figures, "p90")),
  p99: time((figures) => worstOf(figures, "p99")),
  p999: time((figures) => worstOf(figures, "p999")),
  max: time((figures) => worstOf(figures, "max")),
  "open.p99": time((figures) => maxKnown(groupsOf(figures).map(({ times }) => p99Of(times["open"])))),
  "ping.p99": time((figures) => maxKnown(groupsOf(figures).map(({ times }) => p99Of(times["ping"])))),
  "gap.max": time((figures) =>
    maxKnown(groupsOf(figures).map(({ times }) => times["gap"]?.latencyUs.max ?? null)),
  ),
  answered: count((figures) => sumOf(figures, "answered")),
  lost: count((figures) => sumOf(figures, "lost")),
  unsent: count((figures) => sumOf(figures, "unsent")),
  failed: count((figures) => sumOf(figures, "failed")),
  closed: count((figures) => sumOf(figures, "closed")),
  lostPings: count((figures) => sumOf(figures, "lostPings")),
  errors: count(({ errors }) => Object.values(errors).reduce((sum, each) => sum + each, 0)),
});

export function reportSession(options: SessionReportOptions, outcome: SessionOutcome): SessionReport {
  const { scenario, label, thresholds } = options;
  const report: Omit<SessionReport, "thresholds" | "failures" | "warnings"> = {
    kind: sessionKind,
    version: sessionVersion,
    ...documentHead({ label, target: scenario.target }, outcome),
    groups: scenario.groups.map(({ name, population, traffic }) => ({
      name,
      connections: Math.ceil(largestOf(population.size)),
      traffic: traffic.kind,
    })),
    connect: groupsAt(outcome.connect, 0),
    steps: outcome.steps.map(stepOf),
    parts: [],
  };
  const judged = judgeSession(report, thresholds);
  return { ...judged, warnings: [...judged.warnings, ...outcomeWarnings(scenario.target, outcome)] };
}

/** Adds what follows from the figures. */
export function judgeSession(
  report: Omit<SessionReport, "thresholds" | "failures" | "warnings">,
  thresholds: readonly Threshold[],
): SessionReport {
  const judged = { ...report, thresholds: evaluateThresholdsOf(sessionMetrics, thresholds, report) };
  return { ...judged, failures: failuresOf(judged), warnings: warningsOf(judged) };
}

function stepOf(step: StepOutcome): SessionReport["steps"][number] {
  const { name, measured, fromMs, untilMs, complete, groups, client, server } = step;
  const seconds = (untilMs - fromMs) / 1000;
  const received = Object.values(groups).reduce((sum, { counters }) => sum + counters.received, 0);
  return {
    name,
    measured,
    fromSeconds: fromMs / 1000,
    seconds,
    complete,
    groups: groupsAt(groups, fromMs / 1000),
    client,
    server: serverPart(server, received, Math.max(1e-9, seconds)).server ?? null,
  };
}

function groupsAt(
  groups: Readonly<Record<string, GroupFigures>>,
  fromSeconds: number,
): Record<string, SessionGroup> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, figures]) => [name, groupOf(figures, fromSeconds)]),
  );
}

function groupOf(figures: GroupFigures, fromSeconds: number): SessionGroup {
  const { counters, distributions, openConnections, absentClients } = figures;
  return {
    counters: Object.fromEntries(Object.entries(counters).filter(([, value]) => value > 0)),
    times: Object.fromEntries(
      Object.entries(distributions).flatMap(([name, timed]) => (timed === null ? [] : [[name, timed]])),
    ),
    openConnections,
    absentClients,
    series: seriesOf(figures, fromSeconds),
  };
}

/** Folds seconds: rates become means, latencies keep the worst value. */
function seriesOf({ seconds }: GroupFigures, fromSeconds: number): SessionGroup["series"] {
  const size = Math.max(1, Math.ceil(seconds.length / mostEntries));
  return Array.from({ length: Math.ceil(seconds.length / size) }, (_, i) => {
    const part = seconds.slice(i * size, (i + 1) * size);
    const startSeconds = seconds[i * size - 1]?.endSeconds ?? 0;
    const endSeconds = part.at(-1)?.endSeconds ?? startSeconds;
    const received = part.reduce((sum, { counters }) => sum + counters.received, 0);
    return {
      endSeconds: fromSeconds + endSeconds,
      messagesPerSecond: received / Math.max(1e-9, endSeconds - startSeconds),
      p50Us: maxKnown(part.map(({ latencyUs }) => latencyUs?.p50 ?? null)),
      p99Us: maxKnown(part.map(({ latencyUs }) => latencyUs?.p99 ?? null)),
      openConnections: part.at(-1)?.openConnections ?? 0,
    };
  });
}

/** Groups of all measured steps. */
function groupsOf({ steps }: Pick<Figures, "steps">): SessionGroup[] {
  return steps.filter(({ measured }) => measured).flatMap(({ groups }) => Object.values(groups));
}

type LatencyName = "p50" | "p90" | "p99" | "p999" | "max";

function worstOf(figures: Figures, name: LatencyName): number | null {
  return maxKnown(groupsOf(figures).map(({ times }) => times["latency"]?.latencyUs[name] ?? null));
}

function p99Of(timed: SessionGroup["times"][string] | undefined): number | null {
  return timed?.latencyUs.p99 ?? null;
}

function sumOf(figures: Pick<Figures, "steps">, counter: string): number {
  return groupsOf(figures).reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);
}

/** Messages that slow readers leave unread do not count as lost. */
function failuresOf(report: Omit<SessionReport, "failures" | "warnings">): string[] {
  const slow = new Set(report.groups.flatMap(({ name, traffic }) => (traffic === "read" ? [name] : [])));
  const others = report.steps
    .filter(({ measured }) => measured)
    .flatMap(({ groups }) => Object.entries(groups).filter(([name]) => !slow.has(name)));
  const sum = (counter: string): number =>
    others.reduce((total, [, { counters }]) => total + (counters[counter] ?? 0), 0);
  const said = (number: number, what: string): string[] =>
    number === 0 ? [] : [`${formatNumber(number)} ${what}`];
  const statuses = Object.entries(report.errors).filter(([kind]) => kind.startsWith("status-"));
  return [
    ...commonFailures(report),
    ...said(
      statuses.reduce((total, [, number]) => total + number, 0),
      "HTTP responses had another status than 2xx",
    ),
    ...said(sum("lost"), "messages were lost"),
    ...said(sum("unsent"), "messages that were due could not be sent"),
    ...said(sum("corrupt"), "replies were not the messages sent"),
    ...said(sum("lostPings"), "pings were not answered"),
    ...said(sum("failed"), "connections could not be opened"),
    ...said(sum("closed"), "connections were ended by the target"),
  ];
}

function warningsOf({ steps, parts }: Omit<SessionReport, "failures" | "warnings">): string[] {
  const lagUs = maxKnown(steps.map(({ client }) => client.lagUs)) ?? 0;
  const p99Us = worstOf({ steps, groups: [], errors: {} }, "p99");
  return [
    ...(p99Us !== null && lagUs > p99Us / 2
      ? [
          "The generator's own lag is a large part of the latency: more threads or a quieter machine will help.",
        ]
      : []),
    ...outlyingParts(parts),
  ];
}
