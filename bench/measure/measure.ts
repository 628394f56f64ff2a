// Makes one measurement: connect, warm up, measure, drain, and build the Result.

import { packageVersion } from "../../src/lib/package.ts";
import { routeOf } from "../engine/route.ts";
import type { OnInterval } from "../load/crew.ts";
import { startHttpGenerator } from "../load/http-generator.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { StartGenerator } from "../load/threads.ts";
import type { Environment, Result } from "../result/schema.ts";
import type { Threshold } from "../result/threshold.ts";
import { judge } from "../result/verdict.ts";
import { defaultGuards, type Step } from "../scenario/scenario.ts";
import type { ClockOffset } from "../target/clock-offset.ts";
import { allowedCpus } from "../target/environment.ts";
import type { Sampler } from "../target/sampler.ts";
import type { Locality } from "../target/target.ts";
import { buildMeasurement } from "./measurement.ts";
import { planThreads } from "./plan.ts";
import { type LiveFigures, Run, type RunProgress, type RunRecord, type StartAt, type World } from "./run.ts";
import { outlineOf, type Scenario, sessionOf, stepsOf } from "./scenario.ts";
import { realWorld } from "./world.ts";

/** The outcome of a measurement. `errors` counts errors by kind, with the first message of each. */
export type Outcome =
  | { readonly kind: "measured"; readonly result: Result; readonly errors: ErrorTally }
  | { readonly kind: "nothing"; readonly reason: string; readonly errors: ErrorTally };

/** The live state of a measurement. */
export interface Progress extends LiveFigures {
  readonly phase: "connect" | "wait" | "warmup" | "measure" | "drain";
  readonly requestedConnections: number;
}

export interface MeasureOptions {
  /** Samples the server. */
  readonly sampler?: Sampler | undefined;
  readonly thresholds?: readonly Threshold[];
  /** Start of the load, shared by several generators. Default: once connected. */
  readonly startAt?: StartAt | undefined;
  /** Called when all connections are open. */
  readonly onReady?: (() => void) | undefined;
  /** Offset of the target's clock, for the Result. */
  readonly clockOffset?: ClockOffset | undefined;
  /** Ends the measurement early; the measurement so far becomes a partial Result. */
  readonly signal?: AbortSignal;
  /** Ends the wait for the last replies; those are then lost. */
  readonly hurry?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Called with each generator's figures every second and at the boundaries of steps. */
  readonly onInterval?: OnInterval | undefined;
  readonly world?: World;
}

/** Measures once. The Outcome contains failures of the target; only internal errors reject. */
export async function measure(scenario: Scenario, options: MeasureOptions = {}): Promise<Outcome> {
  const world = options.world ?? realWorld;
  const { url, connections } = outlineOf(scenario);
  const route = scenario.kind === "http" ? {} : routeOf(scenario.endpoint);
  const locality = await world.locate(url, route);
  const environment = world.environment();
  const { onProgress } = options;
  const run = new Run({
    world,
    starters: generatorsOf(scenario, locality, world),
    groups: scenario.kind === "http" || scenario.probe === undefined ? 1 : 2,
    steps: stepsOf(scenario),
    // A run does not end because of failures: its Result reports them.
    guards: { ...defaultGuards(connections), maxFailures: Number.POSITIVE_INFINITY },
    sampler: options.sampler,
    startAt: options.startAt,
    onReady: options.onReady,
    signal: options.signal,
    hurry: options.hurry,
    onInterval: options.onInterval,
    onProgress:
      onProgress && ((progress) => onProgress(progressOf(progress, stepsOf(scenario), connections))),
  });
  try {
    const record = await run.record();
    return outcomeOf({ scenario, options, locality, environment, run, record });
  } finally {
    await run.end();
  }
}

function generatorsOf(scenario: Scenario, locality: Locality, world: World): StartGenerator[] {
  if (scenario.kind === "http") {
    const stepsMs = stepsOf(scenario).map(({ durationMs }) => durationMs);
    const plan = { load: scenario.load, group: 0, groups: 1, stepsMs, endsWhenGone: true };
    return [
      ({ onReport: report }) => startHttpGenerator(plan, { clock: world.clock, cpuNs: processCpuNs, report }),
    ];
  }
  return planThreads(sessionOf(scenario), locality).map(
    (plan) => (events) => world.startThread(plan, events),
  );
}

/** autocannon runs in this thread, and its garbage is collected in others. */
function processCpuNs(): number {
  const { user, system } = process.cpuUsage();
  return 1000 * (user + system);
}

/** The inputs of an Outcome. */
interface Measured {
  readonly scenario: Scenario;
  readonly options: MeasureOptions;
  readonly locality: Locality;
  readonly environment: Environment;
  readonly run: Run;
  readonly record: RunRecord;
}

function outcomeOf(measured: Measured): Outcome {
  const { run, record, scenario } = measured;
  const { errors } = run.crew;
  const nothing = (reason: string): Outcome => ({ kind: "nothing", reason, errors });
  const { startNs, endedEarly, untilNs, spans } = record;
  if (startNs === undefined) {
    return nothing(
      endedEarly?.cause === "interrupted"
        ? "the run was interrupted while connecting"
        : (endedEarly?.reason ?? "no connection could be opened"),
    );
  }
  const first = firstMeasured(scenario);
  const fromNs = spans[first]?.fromNs ?? startNs;
  if (untilNs <= fromNs) {
    return nothing(`${endedEarly?.reason} before the measured window began`);
  }
  const steps = stepsMeasured(measured);
  const sum = (name: "answered" | "corrupt" | "sent"): number =>
    steps.reduce((total, step) => total + run.crew.tally(0, step).counters[name], 0);
  if (sum("answered") === 0) {
    const seconds = (untilNs - fromNs) / 1e9 + outlineOf(scenario).timeoutMs / 1000;
    const corrupt = sum("corrupt") > 0 ? ` (${sum("corrupt")} came back corrupt)` : "";
    return nothing(`no good reply came to ${sum("sent")} messages within ${seconds} s${corrupt}`);
  }
  return { kind: "measured", result: resultOf(measured, fromNs), errors };
}

/** The number of the first step that counts. */
function firstMeasured(scenario: Scenario): number {
  return Math.max(
    0,
    stepsOf(scenario).findIndex(({ measured }) => measured),
  );
}

/** The numbers of the steps that count and began. */
function stepsMeasured({ scenario, record }: Measured): number[] {
  const first = firstMeasured(scenario);
  return record.watched.map((_, step) => step).filter((step) => step >= first);
}

function resultOf(measured: Measured, fromNs: number): Result {
  const { scenario, options, locality, environment, run, record } = measured;
  const { untilNs, spans } = record;
  const firstStep = firstMeasured(scenario);
  const watched = record.watched.slice(firstStep);
  return judge(
    buildMeasurement({
      scenario,
      engine: engineOf(scenario, environment),
      isLocal: locality.local,
      environment,
      startedAt: watched[0]?.startedAt ?? record.startedAt,
      fromNs,
      untilNs,
      clock: options.clockOffset,
      partialReason: partialReason(measured),
      crew: run.crew,
      firstStep,
      spans: spans.slice(firstStep),
      watched,
      requested: outlineOf(scenario).connections,
      clientCpus: allowedCpus("self") ?? [],
      thresholds: options.thresholds ?? [],
    }),
  );
}

/** An interrupted drain counts messages as lost that might still have been answered. */
function partialReason(measured: Measured): string | null {
  const { endedEarly, untilNs, spans } = measured.record;
  if (endedEarly === null) {
    return null;
  }
  if (untilNs < (spans.at(-1)?.untilNs ?? 0)) {
    return endedEarly.reason;
  }
  const hasLost = stepsMeasured(measured).some((step) => measured.run.crew.tally(0, step).counters.lost > 0);
  return endedEarly.cause === "interrupted" && hasLost
    ? "it was interrupted while it waited for the last replies"
    : null;
}

function progressOf(progress: RunProgress, steps: readonly Step[], requestedConnections: number): Progress {
  const { phase, step, ...rest } = progress;
  return {
    ...rest,
    requestedConnections,
    phase: phase !== "step" ? phase : steps[step ?? 0]?.measured === true ? "measure" : "warmup",
  };
}

/** The engine and its version. The raw engine has the version of this package. */
function engineOf(scenario: Scenario, environment: Environment): Result["engine"] {
  const name = scenario.kind === "http" ? "autocannon" : scenario.engine;
  if (name === "raw") {
    return { name, version: environment.versions["uws-echo-bench"] ?? "unknown" };
  }
  return { name, version: packageVersion(name) };
}
