// The shapes of a sweep's files: its plan, which is written first, and the Sweep, which holds the figures of all measurements.

import { z } from "zod";
import { environmentSchema, type Result, scenarioSchema, verdicts } from "./schema.ts";

/** The `kind` of every plan. */
export const sweepPlanKind = "uws-echo-bench/sweep-plan";
/** The `kind` of every Sweep. */
export const sweepKind = "uws-echo-bench/sweep";
/** Of both. Raised whenever a field is added or removed, or changes its meaning. */
export const sweepVersion = 1;

/** What is varied. */
export const factors = ["connections", "payloadBytes", "depth", "ratePerSecond"] as const;

/** The figures of each measurement. Times are in microseconds, CPU in per cent of a core. */
export const sweepFigures = [
  "messagesPerSecond",
  "bytesPerSecond",
  "p50",
  "p90",
  "p99",
  "p999",
  "max",
  "lag",
  "serverCpuPercent",
  "serverCpuPerMessage",
  "clientCpuPercent",
  "clientCpuPerMessage",
] as const;

/** Why a sweep ended. */
const sweepStops = ["complete", "interrupted", "target-gone"] as const;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

const cellShape = {
  connections: count,
  payloadBytes: count,
  /** Null in an open loop. */
  depth: count.nullable(),
  /** Null in a closed loop. */
  ratePerSecond: amount.nullable(),
};

const entrySchema = z.strictObject({
  ...cellShape,
  /** Which measurement of this cell, from 1. */
  repeat: z.int().positive(),
  /** Name of its Result in the folder. */
  file: z.string(),
});

/** The fields of both files. */
const headShape = {
  version: z.literal(sweepVersion),
  label: z.string().nullable(),
  startedAt: z.iso.datetime(),
  target: z.string(),
  /** Of payloads, random arrivals, and the order. */
  seed: count,
  /** The load of the first cell of the grid; its fixed parts are the same in all cells. */
  scenario: scenarioSchema,
};

export const sweepPlanSchema = z.strictObject({
  kind: z.literal(sweepPlanKind),
  ...headShape,
  /** In the order in which they are measured. */
  entries: z.array(entrySchema).min(1),
});

const sampleSchema = entrySchema.extend({
  /** Place in the order, from 1. */
  order: z.int().positive(),
  startedAt: z.iso.datetime(),
  figures: z.record(z.enum(sweepFigures), amount.nullable()),
  verdict: z.enum(verdicts),
  /** Why this measurement must not be used; empty when it may. */
  failures: z.array(z.string()),
});

export const sweepSchema = z.strictObject({
  kind: z.literal(sweepKind),
  ...headShape,
  /** Measurements that were planned. */
  planned: count,
  stop: z.enum(sweepStops),
  /** In the order in which they were measured. */
  samples: z.array(sampleSchema).min(1),
  /** Measurements that could not be made in the last start, and why. */
  missing: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
  environment: environmentSchema,
  /** The command line that made it, without the program and without secrets. */
  command: z.array(z.string()).nullable(),
  failures: z.array(z.string()),
  warnings: z.array(z.string()),
});

export type Factor = (typeof factors)[number];
export type SweepFigure = (typeof sweepFigures)[number];
export type SweepStop = (typeof sweepStops)[number];
export type PlanEntry = z.infer<typeof entrySchema>;
export type Cell = Pick<PlanEntry, Factor>;
export type SweepPlan = z.infer<typeof sweepPlanSchema>;
export type SweepSample = z.infer<typeof sampleSchema>;
export type Sweep = z.infer<typeof sweepSchema>;

/** The figures that a Sweep keeps of a Result. */
export function sweepSampleOf(entry: PlanEntry, order: number, result: Result): SweepSample {
  const { summary, client, server } = result;
  const { latencyUs } = summary;
  return {
    ...entry,
    order,
    startedAt: result.window.startedAt,
    figures: {
      messagesPerSecond: summary.messagesPerSecond,
      bytesPerSecond: summary.bytesPerSecond,
      p50: latencyUs?.p50 ?? null,
      p90: latencyUs?.p90 ?? null,
      p99: latencyUs?.p99 ?? null,
      p999: latencyUs?.p999 ?? null,
      max: latencyUs?.max ?? null,
      lag: client.lagUs,
      serverCpuPercent: server?.cpuPercent ?? null,
      serverCpuPerMessage: server?.cpuUsPerMessage ?? null,
      clientCpuPercent: client.cpuPercent,
      clientCpuPerMessage: client.cpuUsPerMessage,
    },
    verdict: result.verdict,
    failures: result.failures,
  };
}

interface Ended {
  readonly plan: SweepPlan;
  readonly results: ReadonlyMap<string, Result>;
  readonly missing: Sweep["missing"];
  readonly stop: SweepStop;
  readonly command: Sweep["command"];
}

/** The Sweep of all measurements so far. @returns undefined if there is none */
export function concludeSweep({ plan, results, missing, stop, command }: Ended): Sweep | undefined {
  const samples = plan.entries.flatMap((entry, index) => {
    const result = results.get(entry.file);
    return result === undefined ? [] : [sweepSampleOf(entry, index + 1, result)];
  });
  const environment = [...results.values()][0]?.environment;
  if (environment === undefined) {
    return undefined;
  }
  const { label, startedAt, target, seed, scenario, entries } = plan;
  return {
    kind: sweepKind,
    version: sweepVersion,
    label,
    startedAt,
    target,
    seed,
    scenario,
    planned: entries.length,
    stop,
    samples,
    missing,
    environment,
    command,
    failures: failuresOf(samples, entries.length, missing),
    warnings: warningsOf(samples, [...results.values()]),
  };
}

function failuresOf(samples: readonly SweepSample[], planned: number, missing: Sweep["missing"]): string[] {
  const left = planned - samples.length - missing.length;
  return [
    ...samples.flatMap(({ file, failures }) => failures.map((failure) => `${file}: ${failure}`)),
    ...missing.map(({ file, reason }) => `${file}: ${reason}`),
    ...(left > 0 ? [`${left} of ${planned} measurements were not made: start it again to go on`] : []),
  ];
}

function warningsOf(samples: readonly SweepSample[], results: readonly Result[]): string[] {
  const bound = samples.filter(({ verdict }) => verdict === "client-bound").length;
  const machines = new Set(
    results.map(({ environment: { cpuModel, cores, kernel, versions } }) =>
      JSON.stringify([cpuModel, cores, kernel, versions]),
    ),
  );
  const busy = results.filter(({ warnings }) => warnings.some((warning) => /machine was busy/.test(warning)));
  return [
    bound > 0 &&
      `In ${bound} of ${samples.length} measurements the generator was the bottleneck: the target can do more.`,
    busy.length > 0 &&
      `In ${busy.length} of ${samples.length} measurements the machine was busy with something else.`,
    machines.size > 1 &&
      "The measurements come from different machines or versions: they cannot be compared.",
  ].filter((warning) => warning !== false);
}

/** The levels of a factor that occur, in ascending order; none where it does not apply. */
export function levelsOf(cells: readonly Cell[], factor: Factor): number[] {
  return [...new Set(cells.flatMap((cell) => cell[factor] ?? []))].sort((a, b) => a - b);
}

/** The factors that vary, the one with the most levels first. */
export function variedFactors(cells: readonly Cell[]): Factor[] {
  return factors
    .filter((factor) => levelsOf(cells, factor).length > 1)
    .toSorted((a, b) => levelsOf(cells, b).length - levelsOf(cells, a).length);
}
