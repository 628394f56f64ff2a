// Merges the SessionReports of several generators of one scenario: counts add, histograms add bucket by bucket.

import { maxKnown, sumOf } from "./aggregate.ts";
import { decodeHistogram, latencyOf } from "./histogram.ts";
import { MergeError, overlapProblems } from "./merge.ts";
import { addEncoded, addTallies, extremes, mergeClients, mergeServers, unique } from "./merge-figures.ts";
import { mergeCloses } from "./merge-steps.ts";
import { hashOf } from "./parts.ts";
import type { Part } from "./schema.ts";
import type { SessionGroup, SessionReport, SessionStep } from "./session.ts";
import { align } from "./spans.ts";

/** A SessionReport before it is judged. */
export type MergedSession = Omit<SessionReport, "thresholds" | "failures" | "warnings">;

/**
 * Merges SessionReports that several generators measured at the same time on the same target.
 * @throws MergeError if there are fewer than two, or they are not of one scenario and time
 */
export function mergeSessions(reports: readonly SessionReport[]): MergedSession {
  const [first] = reports;
  if (first === undefined || reports.length < 2) {
    throw new MergeError("merging needs at least two SessionReports");
  }
  refuseStrangers(reports);
  const { kind, version, target, environment } = first;
  const reasons = unique(reports.flatMap(({ partial }) => (partial === null ? [] : [partial.reason])));
  const labels = unique(reports.flatMap(({ label }) => (label === null ? [] : [label])));
  const begun = Math.min(...reports.map(({ steps }) => steps.length));
  return {
    kind,
    version,
    label: labels.length === 0 ? null : labels.join(" / "),
    startedAt: reports.map(({ startedAt }) => startedAt).sort()[0] ?? first.startedAt,
    command: null,
    target,
    seed: null,
    payloadSha256: isSame(reports.map(({ payloadSha256 }) => payloadSha256)) ? first.payloadSha256 : {},
    partial: reasons.length === 0 ? null : { reason: reasons.join("; ") },
    closes: mergeCloses(reports.map(({ closes }) => closes)),
    errors: addTallies(reports.map(({ errors }) => errors)),
    environment,
    groups: first.groups.map((group, index) => ({
      ...group,
      connections: sumOf(reports, ({ groups }) => groups[index]?.connections ?? 0),
    })),
    connect: mergeGroups(reports.map(({ startedAt, connect }) => ({ startedAt, groups: connect }))),
    steps: Array.from({ length: begun }, (_, number) => mergeStep(reports, number)),
    parts: reports.flatMap(partsOf),
  };
}

function isSame(values: readonly unknown[]): boolean {
  return unique(values.map((value) => JSON.stringify(value))).length === 1;
}

/** A report as a part of a merged one, or the parts of an already merged one. */
function partsOf(report: SessionReport): Part[] {
  if (report.parts.length > 0) {
    return report.parts;
  }
  const { label, startedAt, steps } = report;
  const measured = steps.filter((step) => step.measured);
  const groups = measured.flatMap((step) => Object.values(step.groups));
  const seconds = sumOf(measured, (step) => step.seconds);
  return [
    {
      id: hashOf(report),
      label,
      startedAt,
      messagesPerSecond:
        seconds === 0 ? 0 : sumOf(groups, ({ counters }) => counters["received"] ?? 0) / seconds,
      p99Us: maxKnown(groups.map(({ times }) => times["latency"]?.latencyUs.p99 ?? null)),
    },
  ];
}

/** What must be equal in every part. */
const identity: readonly (readonly [string, (report: SessionReport) => unknown])[] = [
  ["target.url", ({ target }) => target.url],
  ["groups", ({ groups }) => groups.map(({ name, traffic }) => [name, traffic])],
  ["steps", ({ steps, partial }) => (partial === null ? steps.map(({ name }) => name) : null)],
];

function refuseStrangers(reports: readonly SessionReport[]): void {
  const differences = identity.flatMap(([name, value]) => {
    const seen = unique(reports.map((report) => JSON.stringify(value(report)))).filter(
      (text) => text !== "null",
    );
    return seen.length <= 1 ? [] : [`${name} differs: ${seen.join(" and ")}`];
  });
  const ids = reports.flatMap(partsOf).map(({ id }) => id);
  const repeated = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
  const problems = [
    ...differences,
    ...reports
      .flatMap(partsOf)
      .filter(({ id }, index) => repeated.has(id) && ids.indexOf(id) === index)
      .map(({ label, startedAt }) => `the report of ${label ?? startedAt} would count twice`),
    ...overlapProblems(
      reports.map(({ startedAt, steps }) => ({ startedAt, seconds: sumOf(steps, (step) => step.seconds) })),
    ),
  ];
  if (problems.length > 0) {
    throw new MergeError(
      `these are not parts of one session:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
}

function mergeStep(reports: readonly SessionReport[], number: number): SessionStep {
  const steps = reports.flatMap(({ steps: all }) => all[number] ?? []);
  const [first] = steps as [SessionStep, ...SessionStep[]];
  const seconds = Math.max(...steps.map((step) => step.seconds));
  const rateOf = ({ groups }: SessionStep): number =>
    sumOf(Object.values(groups), ({ counters }) => counters["received"] ?? 0) / Math.max(1e-9, seconds);
  const servers = steps.map(({ server }) => (server === null ? {} : { server }));
  return {
    ...first,
    seconds,
    complete: steps.every(({ complete }) => complete),
    groups: mergeGroups(
      reports.map(({ startedAt, steps: all }) => ({ startedAt, groups: all[number]?.groups ?? {} })),
    ),
    client: mergeClients(
      steps.map((step) => ({ client: step.client, summary: { messagesPerSecond: rateOf(step) } })),
    ),
    server: mergeServers(servers, sumOf(steps, rateOf)) ?? null,
  };
}

interface PlacedGroups {
  readonly startedAt: string;
  readonly groups: Readonly<Record<string, SessionGroup>>;
}

function mergeGroups(parts: readonly PlacedGroups[]): Record<string, SessionGroup> {
  const names = unique(parts.flatMap(({ groups }) => Object.keys(groups)));
  return Object.fromEntries(
    names.map((name) => [
      name,
      mergeGroup(
        parts.flatMap(({ startedAt, groups }) => {
          const group = groups[name];
          return group === undefined ? [] : [{ startedMs: Date.parse(startedAt), group }];
        }),
      ),
    ]),
  );
}

interface PlacedGroup {
  readonly startedMs: number;
  readonly group: SessionGroup;
}

function mergeGroup(parts: readonly PlacedGroup[]): SessionGroup {
  const groups = parts.map(({ group }) => group);
  return {
    counters: addTallies(groups.map(({ counters }) => counters)),
    times: mergeTimes(groups.map(({ times }) => times)),
    openConnections: sumOf(groups, ({ openConnections }) => openConnections),
    absentClients: sumOf(groups, ({ absentClients }) => absentClients),
    series: mergeSeries(parts),
  };
}

function mergeTimes(parts: readonly SessionGroup["times"][]): SessionGroup["times"] {
  const names = unique(parts.flatMap((times) => Object.keys(times)));
  return Object.fromEntries(
    names.flatMap((name) => {
      const timed = parts.flatMap((times) => times[name] ?? []);
      const histogram = addEncoded(timed.map((each) => each.histogram));
      const latencyUs =
        histogram === null
          ? null
          : latencyOf(decodeHistogram(histogram), extremes(timed.map((each) => each.latencyUs)));
      return histogram === null || latencyUs === null ? [] : [[name, { latencyUs, histogram }]];
    }),
  );
}

/** Entries of the same time: rates and connections add, percentiles are those of the worst generator. */
function mergeSeries(parts: readonly PlacedGroup[]): SessionGroup["series"] {
  const [one, two] = parts[0]?.group.series ?? [];
  const seconds = one !== undefined && two !== undefined ? two.endSeconds - one.endSeconds : 1;
  const aligned = align(
    parts.map(({ startedMs, group }) => ({ startedMs, items: group.series })),
    Math.max(1e-3, seconds),
  );
  return aligned.items.map((entries) => ({
    endSeconds: Math.max(...entries.map(({ endSeconds }) => endSeconds)),
    messagesPerSecond: sumOf(entries, ({ messagesPerSecond }) => messagesPerSecond),
    p50Us: maxKnown(entries.map(({ p50Us }) => p50Us)),
    p99Us: maxKnown(entries.map(({ p99Us }) => p99Us)),
    openConnections: sumOf(entries, ({ openConnections }) => openConnections),
  }));
}
