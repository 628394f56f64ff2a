// Runs a scenario: opens its connections, runs the steps, and reports each. All commands build on it.

import { payloadHash } from "../engine/payload.ts";
import { routeOf } from "../engine/route.ts";
import type { Crew, OnInterval } from "../load/crew.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { StartGenerator } from "../load/threads.ts";
import type { ClientFigures, Environment, Machine } from "../result/schema.ts";
import type { Group, Scenario, Step } from "../scenario/scenario.ts";
import type { Traffic } from "../scenario/traffic.ts";
import { allowedCpus } from "../target/environment.ts";
import type { Sampler } from "../target/sampler.ts";
import type { Locality } from "../target/target.ts";
import { type GroupFigures, groupFigures } from "./figures.ts";
import type { EarlyEnd } from "./guard.ts";
import { planHttp, planThreads } from "./plan.ts";
import { type LiveFigures, Run, type RunProgress, type RunRecord, type StartAt, type World } from "./run.ts";
import { clientFigures, machineFigures, type ServerRecord } from "./usage.ts";
import { realWorld } from "./world.ts";

export interface SessionOptions {
  /** Start of the timeline, shared by several generators. Default: once connected. */
  readonly startAt?: StartAt | undefined;
  /** Called when all connections that are due at the start are open. */
  readonly onReady?: (() => void) | undefined;
  /** Samples the server. */
  readonly sampler?: Sampler | undefined;
  /** Ends the session; the outcome covers the time until then. */
  readonly signal?: AbortSignal;
  /** Ends the wait for the last replies; those are then lost. */
  readonly hurry?: AbortSignal;
  /** Called four times a second. */
  readonly onProgress?: (progress: SessionProgress) => void;
  /** Called when a step begins. */
  readonly onStep?: (step: Step) => void;
  /** Called with each generator's figures every second and at the boundaries of steps. */
  readonly onInterval?: OnInterval | undefined;
  readonly world?: World;
}

export interface SessionProgress extends LiveFigures {
  readonly phase: RunProgress["phase"];
  /** The current step; null in other phases. */
  readonly step: string | null;
}

/** The outcome of a session; plain data. */
export interface SessionOutcome {
  /** Start of the timeline, or end of a session that ended before it. */
  readonly startedAt: Date;
  readonly environment: Environment;
  readonly locality: Locality;
  /** Figures of connecting, before the timeline. */
  readonly connect: Readonly<Record<string, GroupFigures>>;
  /** The steps of the timeline that began, in order. */
  readonly steps: readonly StepOutcome[];
  /** Why the timeline ended early; null if it completed. */
  readonly endedEarly: EarlyEnd | null;
  readonly seed: number;
  /** SHA-256 of the payloads of each group that has some, see payloadHash. */
  readonly payloadSha256: Readonly<Record<string, string>>;
  /** Errors of the whole session by kind, each with its first message. */
  readonly errors: ErrorTally;
}

export interface StepOutcome {
  readonly name: string;
  readonly measured: boolean;
  /** From the start of the timeline; `untilMs` is the actual end. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whether it lasted as long as planned. */
  readonly complete: boolean;
  /** By group name. */
  readonly groups: Readonly<Record<string, GroupFigures>>;
  /** This process during the step; CPU per message is over all groups. */
  readonly client: ClientFigures;
  readonly machine: Machine;
  /** Server samples: at the start of the step, each second, and at its end. */
  readonly server: ServerRecord | undefined;
}

/**
 * Runs the scenario's timeline. The outcome contains failures of the target; only internal
 * errors reject.
 */
export async function runScenario(scenario: Scenario, options: SessionOptions = {}): Promise<SessionOutcome> {
  const world = options.world ?? realWorld;
  const { groups, timeline, guards, target } = scenario;
  const locality = await world.locate(target.url, routeOf(target));
  const environment = world.environment();
  const { onProgress } = options;
  const run = new Run({
    world,
    starters: [
      ...planThreads(scenario, locality).map(
        (plan): StartGenerator =>
          (events) =>
            world.startThread(plan, events),
      ),
      ...planHttp(scenario).map(
        (plan): StartGenerator =>
          (events) =>
            world.startHttp(plan, events),
      ),
    ],
    groups: groups.length,
    steps: timeline,
    guards,
    sampler: options.sampler,
    startAt: options.startAt,
    onReady: options.onReady,
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
      seed: scenario.resources.seed,
      payloadSha256: payloadHashes(groups),
      errors: run.crew.errors,
    };
  } finally {
    await run.end();
  }
}

/** SHA-256 of the payloads of each group that has some. */
export function payloadHashes(groups: readonly Group[]): SessionOutcome["payloadSha256"] {
  return Object.fromEntries(
    groups.flatMap(({ name, traffic }) => {
      const contents = contentsOf(traffic);
      return contents.length === 0 ? [] : [[name, payloadHash(contents)]];
    }),
  );
}

function contentsOf(traffic: Traffic): Uint8Array[] {
  if (traffic.kind === "http") {
    return traffic.body === undefined ? [] : [Buffer.from(traffic.body)];
  }
  return "messages" in traffic ? traffic.messages.payloads.map(({ content }) => content) : [];
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
