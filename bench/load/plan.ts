// The messages between the main thread and a generator: the plan and the reports. Plain data, to be passed between threads.

import type { Endpoint, EngineName, WireBytes } from "../engine/connection.ts";
import type { HttpLoad } from "../engine/http-probe.ts";
import type { Numbering } from "../engine/template.ts";
import type { Population } from "../scenario/population.ts";
import type { Fanout, Loop, ScriptStep } from "../scenario/traffic.ts";
import type { Interval, Span } from "./recorder.ts";

/** The task of one of several generators. Rates and sizes are those of all of them together. */
export interface Plan {
  readonly thread: { readonly index: number; readonly count: number };
  /** Offset within the interval of an even schedule, 0 to 1, so that concurrent runs do not send in step. */
  readonly phase: number;
  readonly groups: readonly GroupPlan[];
  /** How long each step of the timeline lasts. */
  readonly stepsMs: readonly number[];
  /** Timeout of a reply. */
  readonly timeoutMs: number;
  /** Seed of random choices; different in each generator. */
  readonly seed: number;
}

export interface GroupPlan {
  readonly engine: EngineName;
  readonly endpoint: Endpoint;
  /** How the connections of this generator are numbered in templates. */
  readonly numbering: Numbering;
  /** Source addresses to spread connections over; empty to let the system choose. */
  readonly localAddresses: readonly string[];
  readonly population: Population;
  /** Identifies the stamped messages of this session. */
  readonly tag: number;
  readonly traffic: TrafficPlan;
}

/** A Traffic without its contents, which are in the endpoint. */
export type TrafficPlan =
  | { readonly kind: "idle" }
  | { readonly kind: "ping"; readonly intervalMs: number }
  | {
      readonly kind: "echo";
      readonly loop: Loop;
      readonly match: "fifo" | "stamp";
      readonly fence: boolean;
    }
  | { readonly kind: "listen"; readonly onOpen: readonly Uint8Array[] }
  | Omit<Fanout, "type">
  | { readonly kind: "script"; readonly steps: readonly ScriptStep[] };

/** The task of a generator of HTTP requests, which is one group of the session. */
export interface HttpPlan {
  readonly load: HttpLoad;
  /** Its number, and how many groups there are. */
  readonly group: number;
  readonly groups: number;
  readonly stepsMs: readonly number[];
  /** Ends by itself when the target refuses every connection; otherwise the guards of the session end it. */
  readonly endsWhenGone: boolean;
}

/** Lateness in nanoseconds. */
export interface Hiccups {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

/** Errors so far, by kind, each with its first message. */
export type ErrorTally = Readonly<Record<string, { readonly count: number; readonly detail: string }>>;

export interface IntervalReport {
  readonly kind: "interval";
  /** By their numbers; step -1 is the time before the timeline. */
  readonly group: number;
  readonly step: number;
  readonly interval: Interval;
  /** CPU time of this thread since the last report of an interval; undefined when not known. */
  readonly cpuNs: number | undefined;
  readonly openConnections: number;
  /** Clients that should have a connection but have none. */
  readonly absentClients: number;
  readonly errors: ErrorTally;
}

/** Figures of one generator in a step. */
export interface StepReport {
  readonly kind: "step";
  readonly step: number;
  readonly groups: readonly GroupStep[];
  /** Delay of a timer of 1 ms; undefined if not measured. */
  readonly hiccups: Hiccups | undefined;
}

export interface GroupStep {
  /** Bytes on its sockets. */
  readonly wire: WireBytes;
  /** How evenly its messages were sent, see Dispersion; undefined without a constant rate. */
  readonly dispersion: number | undefined;
}

/** A report of a generator. */
export type Report =
  | { readonly kind: "connecting"; readonly opened: number }
  | {
      readonly kind: "connected";
      readonly opened: number;
      readonly failed: number;
      /** When the first connection was due and when the last one opened; undefined when none was watched. */
      readonly span: Span | undefined;
      readonly errors: ErrorTally;
    }
  | IntervalReport
  | StepReport
  | {
      readonly kind: "done";
      /** End of the timeline on the shared clock. */
      readonly endedNs: number;
      readonly errors: ErrorTally;
    };
