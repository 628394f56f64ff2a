// Runs a scenario: opens its connections, goes through the steps, and says what happened in each. The base of all commands.

import type { CounterName, DistributionName } from "../load/metrics.ts";
import type { ErrorTally } from "../load/plan.ts";
import type { ClientFigures, EncodedHistogram, Environment, Latency, Machine } from "../result/schema.ts";
import type { Scenario, Step } from "../scenario/scenario.ts";
import type { Sampler } from "../target/sampler.ts";
import type { Locality } from "../target/target.ts";
import type { World } from "./measure.ts";
import type { ServerRecord } from "./usage.ts";

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
  readonly world?: World;
}

export interface SessionProgress {
  readonly phase: "connect" | "step" | "drain";
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

export interface EarlyEnd {
  readonly cause: "interrupted" | "aborted" | "target-gone" | "too-many-failures" | "not-connected";
  /** For people. */
  readonly reason: string;
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

export interface GroupFigures {
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Null where nothing was recorded. */
  readonly distributions: Readonly<Record<DistributionName, TimedFigures | null>>;
  /** How connections ended or failed to open, in order of time. Those that the client ended are not among them. */
  readonly closes: readonly Close[];
  readonly seconds: readonly GroupSecond[];
  /** At the end of the step. */
  readonly openConnections: number;
  /** Clients that are to have a connection at the end of the step and have none. */
  readonly absentClients: number;
}

export interface TimedFigures {
  readonly latencyUs: Latency;
  readonly histogram: EncodedHistogram;
}

/** Connections that ended alike within one second. */
export interface Close {
  /** From the start of the timeline; below 0 while connecting. */
  readonly second: number;
  /** `closed-1001`, `reset`, `handshake-refused`, ... as errors are called. */
  readonly kind: string;
  /** Close code (RFC 6455 section 7.1.5), 1006 without one; null when the connection never opened. */
  readonly code: number | null;
  /** HTTP status of a refusal. */
  readonly status: number | null;
  readonly count: number;
}

/** One second of a step; the last one may be shorter. */
export interface GroupSecond {
  /** From the start of the step. */
  readonly endSeconds: number;
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Of this step's messages that were answered in it; null when there was none. */
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly openConnections: number;
}

/**
 * Goes through the scenario's timeline and reports what happened. What the target does is in the outcome; only our own
 * failures reject.
 */
export function runScenario(_scenario: Scenario, _options: SessionOptions = {}): Promise<SessionOutcome> {
  return Promise.reject(new Error("sessions are not implemented yet"));
}
