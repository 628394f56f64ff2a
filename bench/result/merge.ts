// Merges the Results of several generators of one run: counts add, histograms add bucket by bucket.

import { UwsEchoError } from "../../src/lib/errors.ts";
import { maxKnown, meanKnown, sumOf, sumOrNull } from "./aggregate.ts";
import { addHistograms, decodeHistogram, encodeHistogram, latencyOf } from "./histogram.ts";
import {
  addCounts,
  addEncoded,
  addTallies,
  extremes,
  mergeClients,
  mergeConnects,
  mergeGenerators,
  mergeMachines,
  mergeProbes,
  mergeServers,
  mergeWires,
  unique,
} from "./merge-figures.ts";
import { mergeCloses, mergeSteps } from "./merge-steps.ts";
import { hashOf, partsOf, repeatedParts } from "./parts.ts";
import type { Measurement, Result, Scenario, Second, Spans } from "./schema.ts";
import { align, intervalsOf, mergeSpans } from "./spans.ts";
import { steadinessOfSeries } from "./steadiness.ts";

/** Results that are not parts of one run; the message names every difference. */
export class MergeError extends UwsEchoError<"ERR_MERGE"> {
  override readonly name = "MergeError";
  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    super("ERR_MERGE", problems, options);
  }
}

/** Share of the longest window that all windows must have in common, so that their rates can be added. */
const leastOverlap = 0.9;

/**
 * Merges Results that several generators measured at the same time on the same target.
 * Percentiles of a time are those of all latencies in it, where every generator kept them. The generators' lag is that of the worst.
 * @throws MergeError if there are fewer than two, or they are not of one run
 */
export function mergeResults(results: readonly Result[]): Measurement {
  const [first] = results;
  if (first === undefined || results.length < 2) {
    throw new MergeError("merging needs at least two Results");
  }
  refuseStrangers(results);
  const histograms = {
    latency: addHistograms(results.map((result) => decodeHistogram(result.histograms.latency))),
    service: addHistograms(results.map((result) => decodeHistogram(result.histograms.service))),
  };
  const seconds = Math.max(...results.map(({ window }) => window.seconds));
  const messagesPerSecond = sumOf(results, ({ summary }) => summary.messagesPerSecond);
  const reasons = results.flatMap(({ partial }) => (partial === null ? [] : [partial.reason]));
  const placed = results.map((result) => ({ ...result, startedMs: Date.parse(result.window.startedAt) }));
  const spans = mergeSpans(placed);
  const series = mergeSeries(placed, spans);
  const parts = results.flatMap(partsOf);
  const server = mergeServers(results, messagesPerSecond);
  const { kind, version, target, engine, loop, latencyFrom } = first;
  return {
    kind,
    version,
    id: hashOf(parts.map(({ id }) => id).sort()),
    command: null,
    autoWarmup: null,
    label: joined(results.map(({ label }) => label)),
    target,
    engine,
    loop,
    latencyFrom,
    parts,
    scenario: mergeScenarios(results.map(({ scenario }) => scenario)),
    window: { startedAt: results.map(({ window }) => window.startedAt).sort()[0] ?? "", seconds },
    partial: reasons.length === 0 ? null : { reason: unique(reasons).join("; ") },
    summary: {
      messagesPerSecond,
      bytesPerSecond: sumOf(results, ({ summary }) => summary.bytesPerSecond),
      latencyUs: latencyOf(histograms.latency, extremes(results.map(({ summary }) => summary.latencyUs))),
      serviceUs: latencyOf(histograms.service, extremes(results.map(({ summary }) => summary.serviceUs))),
    },
    messages: addCounts(results.map(({ messages }) => messages)),
    connections: addCounts(results.map(({ connections }) => connections)),
    errors: addTallies(results.map(({ errors }) => errors)),
    firstErrors: Object.assign({}, ...results.map(({ firstErrors }) => firstErrors).reverse()),
    client: mergeClients(results),
    ...(server === undefined ? {} : { server }),
    generator: mergeGenerators(results),
    probe: mergeProbes(results.map(({ probe }) => probe)),
    connects: mergeConnects(results.map(({ connects }) => connects)),
    wire: mergeWires(results.map(({ wire }) => wire)),
    clock: null,
    intervals: spans === null ? null : intervalsOf(spans),
    spans,
    steadiness: steadinessOfSeries(series),
    machine: mergeMachines(results.map(({ machine }) => machine)),
    series,
    steps: mergeSteps(results.map(({ steps }) => steps)),
    closes: mergeCloses(results.map(({ closes }) => closes)),
    histograms: {
      latency: encodeHistogram(histograms.latency.histogram, histograms.latency.unitNs),
      service: encodeHistogram(histograms.service.histogram, histograms.service.unitNs),
      unsent: addEncoded(results.map((result) => result.histograms.unsent)),
    },
    thresholds: [],
    environment: mergeEnvironments(results.map(({ environment }) => environment)),
  };
}

/** The fields that must be equal in every part. */
const identity: readonly (readonly [string, (result: Result) => unknown])[] = [
  ["target.url", ({ target }) => target.url],
  ["engine.name", ({ engine }) => engine.name],
  ["loop", ({ loop }) => loop],
  ["scenario.depth", ({ scenario }) => scenario.depth],
  ["scenario.payloadBytes", ({ scenario }) => scenario.payloadBytes],
  ["scenario.payloadSha256", payloadFileOf],
  ["scenario.type", ({ scenario }) => scenario.type],
  ["scenario.verify", ({ scenario }) => scenario.verify],
  ["scenario.arrivals", ({ scenario }) => scenario.arrivals],
  ["scenario.stages", ({ scenario }) => scenario.stages?.map(({ durationMs }) => durationMs) ?? null],
  ["scenario.timeoutMs", ({ scenario }) => scenario.timeoutMs],
  ["scenario.warmupMs", ({ scenario }) => scenario.warmupMs],
  ["scenario.compression", ({ scenario }) => scenario.compression],
  ["histograms.latency.unitNs", ({ histograms }) => histograms.latency.unitNs],
  ["histograms.service.unitNs", ({ histograms }) => histograms.service.unitNs],
];

function refuseStrangers(results: readonly Result[]): void {
  const problems = identity.flatMap(([name, value]) => {
    const seen = unique(results.map((result) => JSON.stringify(value(result))));
    return seen.length === 1 ? [] : [`${name} differs: ${seen.join(" and ")}`];
  });
  problems.push(...repeatedParts(results), ...overlapProblems(results.map(({ window }) => window)));
  if (problems.length > 0) {
    throw new MergeError(
      `these are not parts of one run:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
}

/** Why the rates of these windows cannot be added; empty if they can. */
export function overlapProblems(
  windows: readonly { readonly startedAt: string; readonly seconds: number }[],
): string[] {
  const starts = windows.map(({ startedAt }) => Date.parse(startedAt) / 1000);
  const ends = windows.map(({ seconds }, index) => (starts[index] ?? 0) + seconds);
  const overlap = Math.min(...ends) - Math.max(...starts);
  const longest = Math.max(...windows.map(({ seconds }) => seconds));
  return overlap >= leastOverlap * longest
    ? []
    : [
        `the windows share only ${Math.max(0, overlap).toFixed(1)} s of ${longest.toFixed(1)} s, so their rates cannot be added`,
      ];
}

function mergeScenarios(scenarios: readonly Scenario[]): Scenario {
  const [first] = scenarios as readonly [Scenario, ...Scenario[]];
  return {
    ...first,
    part: null,
    seed: null,
    payloadSha256: allEqual(scenarios.map(({ payloadSha256 }) => payloadSha256)) ? first.payloadSha256 : null,
    connections: sumOf(scenarios, ({ connections }) => connections),
    ratePerSecond: sumOrNull(scenarios.map(({ ratePerSecond }) => ratePerSecond)),
    stages: mergeStages(scenarios),
    connectionsPerSecond: sumOrNull(scenarios.map(({ connectionsPerSecond }) => connectionsPerSecond)),
    durationMs: Math.max(...scenarios.map(({ durationMs }) => durationMs)),
    warmupMs: Math.min(...scenarios.map(({ warmupMs }) => warmupMs)),
    threads: sumOf(scenarios, ({ threads }) => threads),
    generators: sumOf(scenarios, ({ generators }) => generators),
  };
}

/** Stages of the same length, whose rates add. */
function mergeStages(scenarios: readonly Scenario[]): Scenario["stages"] {
  const [first] = scenarios;
  return (
    first?.stages?.map(({ durationMs }, stage) => ({
      durationMs,
      fromPerSecond: sumOf(scenarios, ({ stages }) => stages?.[stage]?.fromPerSecond ?? 0),
      toPerSecond: sumOf(scenarios, ({ stages }) => stages?.[stage]?.toPerSecond ?? 0),
    })) ?? null
  );
}

/** Merges the series second by second, up to the shortest, with the percentiles of spans of the same length. */
function mergeSeries(
  parts: readonly { readonly startedMs: number; readonly series: readonly Second[] }[],
  spans: Spans | null,
): Second[] {
  const length = parts[0]?.series[0]?.endSeconds ?? 1;
  const aligned = align(
    parts.map(({ startedMs, series }) => ({ startedMs, items: series })),
    length,
  );
  return aligned.items.map((seconds, index) => {
    const span = spans?.seconds === length ? spans.entries[index] : undefined;
    const latency = span === undefined ? null : latencyOf(decodeHistogram(span.latency));
    return {
      endSeconds: Math.max(...seconds.map(({ endSeconds }) => endSeconds)),
      messagesPerSecond: sumOf(seconds, (second) => second.messagesPerSecond),
      bytesPerSecond: sumOf(seconds, (second) => second.bytesPerSecond),
      p50Us: latency?.p50 ?? null,
      p99Us: latency?.p99 ?? null,
      maxUs: maxKnown(seconds.map(({ maxUs }) => maxUs)),
      lagP99Us: maxKnown(seconds.map(({ lagP99Us }) => lagP99Us)),
      clientCpuPercent: sumOrNull(seconds.map(({ clientCpuPercent }) => clientCpuPercent)),
      serverCpuPercent: meanKnown(seconds.map(({ serverCpuPercent }) => serverCpuPercent)),
      serverRssBytes: maxKnown(seconds.map(({ serverRssBytes }) => serverRssBytes)),
      serverBufferedBytes: maxKnown(seconds.map(({ serverBufferedBytes }) => serverBufferedBytes)),
    };
  });
}

/** The environment of the first machine, with the others' texts where they differ. */
function mergeEnvironments(environments: readonly Result["environment"][]): Result["environment"] {
  const [first] = environments as readonly [Result["environment"], ...Result["environment"][]];
  return {
    ...first,
    commit: joined(environments.map(({ commit }) => commit)),
    dirty: environments.some(({ dirty }) => dirty === true) ? true : first.dirty,
    kernel: joined(environments.map(({ kernel }) => kernel)) ?? first.kernel,
    cpuModel: joined(environments.map(({ cpuModel }) => cpuModel)) ?? first.cpuModel,
    loadAverage: Math.max(...environments.map(({ loadAverage }) => loadAverage)),
  };
}

/** The hash of a payload from a file; those that were made up differ, and do not matter. */
function payloadFileOf({ scenario }: Result): string | null {
  return scenario.fill === null ? scenario.payloadSha256 : null;
}

function allEqual(values: readonly unknown[]): boolean {
  return new Set(values).size <= 1;
}

function joined(values: readonly (string | null)[]): string | null {
  const known = unique(values.filter((value) => value !== null));
  return known.length === 0 ? null : known.join(" / ");
}
