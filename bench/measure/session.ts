// Runs a scenario: opens its connections, goes through the steps, and says what happened in each. The base of all commands.

import { routeOf } from "../engine/route.ts";
import type { Crew, OnInterval } from "../load/crew.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { ClientFigures, Environment, Machine } from "../result/schema.ts";
import type { Scenario, Step } from "../scenario/scenario.ts";
import type { Traffic } from "../scenario/traffic.ts";
import { allowedCpus } from "../target/environment.ts";
import type { Sampler } from "../target/sampler.ts";
import type { Locality } from "../target/target.ts";
import { type GroupFigures, groupFigures } from "./figures.ts";
import type { EarlyEnd } from "./guard.ts";
import { planThreads } from "./plan.ts";
import { Run, type RunProgress, type RunRecord, type World } from "./run.ts";
import { clientFigures, machineFigures, type ServerRecord } from "./usage.ts";
import { realWorld } from "./world.ts";

export interface SessionOptions {
  /** Where to read how the server is doing. */
  readonly sampler?: Sampler | undefined;
  /** Ends the session; the outcome holds what happened until then. */
  readonly signal?: AbortSignal;
  /** Ends the wait for the last replies; those are then lost. */
  readonly hurry?: AbortSignal;
  /** Four times a second. */
  readonly onProgress?: (progress: SessionProgress) => void;
  /** A step of the timeline begins. */
  readonly onStep?: (step: Step) => void;
  /** What each generator counts and times, once a second and at the edges of steps. */
  readonly onInterval?: OnInterval | undefined;
  readonly world?: World;
}

export interface SessionProgress {
  readonly phase: "connect" | "wait" | "step" | "drain";
  /** The step that is under way; null in the other phases. */
  readonly step: string | null;
  readonly openConnections: number;
  /** Of the last full second, all groups together; null before the first one is over, or without replies. */
  readonly messagesPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errorCount: number;
  /** Until the end of the timeline. */
  readonly leftMs: number;
  readonly totalMs: number;
}

/** What happened; plain data. */
export interface SessionOutcome {
  /** When the timeline began, or when the session ended before that. */
  readonly startedAt: Date;
  readonly environment: Environment;
  readonly locality: Locality;
  /** Opening the connections that are due at the start, before the timeline. */
  readonly connect: Readonly<Record<string, GroupFigures>>;
  /** The steps of the timeline that began, in order. */
  readonly steps: readonly StepOutcome[];
  /** Why the timeline did not come to its end; null when it did. */
  readonly endedEarly: EarlyEnd | null;
  /** Errors of the whole session by kind, each with what was said the first time. */
  readonly errors: ErrorTally;
}

export interface StepOutcome {
  readonly name: string;
  readonly measured: boolean;
  /** From the start of the timeline; `untilMs` is when it really ended. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whether it lasted as long as it was to. */
  readonly complete: boolean;
  /** By the name of the group. */
  readonly groups: Readonly<Record<string, GroupFigures>>;
  /** This process over the step; CPU per message is over all groups. */
  readonly client: ClientFigures;
  readonly machine: Machine;
  /** Samples of the server: at the start of the step, each second, and at its end. */
  readonly server: ServerRecord | undefined;
}

/**
 * Goes through the scenario's timeline and reports what happened. What the target does is in the outcome; only our own
 * failures reject.
 */
export async function runScenario(scenario: Scenario, options: SessionOptions = {}): Promise<SessionOutcome> {
  const world = options.world ?? realWorld;
  const { groups, timeline, guards, target } = scenario;
  const locality = await world.locate(target.url, routeOf(target));
  const environment = world.environment();
  const { onProgress } = options;
  const run = new Run({
    world,
    starters: planThreads(scenario, locality).map((plan) => (events) => world.startThread(plan, events)),
    groups: groups.length,
    steps: timeline,
    guards,
    sampler: options.sampler,
    signal: options.signal,
    hurry: options.hurry,
    onProgress: onProgress && ((progress) => onProgress(progressOf(progress, timeline))),
    onStep: options.onStep,
    onInterval: options.onInterval,
  });
  try {
    const record = await run.record();
    await run.crew.done;
    return {
      startedAt: record.startedAt,
      environment,
      locality,
      connect: figuresOf(scenario, run.crew, -1, record),
      steps: record.watched.map((_, number) => stepOf(scenario, run.crew, number, record)),
      endedEarly: record.endedEarly,
      errors: run.crew.errors,
    };
  } finally {
    await run.end();
  }
}

function progressOf({ phase, step, ...rest }: RunProgress, timeline: readonly Step[]): SessionProgress {
  return { ...rest, phase, step: step === undefined ? null : (timeline[step]?.name ?? null) };
}

function figuresOf(
  { groups }: Scenario,
  crew: Crew,
  step: number,
  { startNs, untilNs }: RunRecord,
): StepOutcome["groups"] {
  return Object.fromEntries(
    groups.map(({ name }, number) => [
      name,
      groupFigures(crew.tally(number, step), crew.stepTally(step)?.groups[number], startNs ?? untilNs),
    ]),
  );
}

function stepOf(scenario: Scenario, crew: Crew, number: number, record: RunRecord): StepOutcome {
  const { timeline, groups } = scenario;
  const step = timeline[number];
  const span = record.spans[number];
  const watched = record.watched[number];
  if (step === undefined || span === undefined || watched === undefined || record.startNs === undefined) {
    throw new RangeError(`there is no step ${number}`);
  }
  const untilNs = Math.max(span.fromNs, Math.min(span.untilNs, record.untilNs));
  const tallies = groups.map((_, group) => crew.tally(group, number));
  return {
    name: step.name,
    measured: step.measured,
    fromMs: (span.fromNs - record.startNs) / 1e6,
    untilMs: (untilNs - record.startNs) / 1e6,
    complete: untilNs === span.untilNs,
    groups: figuresOf(scenario, crew, number, record),
    client: clientFigures({
      tallies,
      marks: watched,
      clientCpus: allowedCpus("self") ?? [],
      fromNs: span.fromNs,
      untilNs,
      hasSchedule: groups.some(({ traffic }) => hasSchedule(traffic)),
    }),
    machine: machineFigures(watched),
    server: watched.server,
  };
}

function hasSchedule(traffic: Traffic): boolean {
  return traffic.kind === "echo" ? traffic.loop.kind === "open" : "rate" in traffic;
}
