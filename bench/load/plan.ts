// What the main thread and a generator send each other: the plan and the reports. Plain data, so that it crosses threads.

import type { WireBytes } from "../engine/connection.ts";
import type { Numbering } from "../engine/template.ts";
import type { ConnectReport } from "./connects.ts";
import type { Arrivals } from "./pacer.ts";
import type { Interval } from "./recorder.ts";

export type Loop =
  | { readonly kind: "closed"; readonly depth: number }
  | { readonly kind: "open"; readonly ratePerSecond: number; readonly arrivals: Arrivals };

/** What one of several generators is to do; plain data. Rates are those of all of them together. */
export interface Plan {
  readonly thread: { readonly index: number; readonly count: number };
  /** Where in the interval of an even schedule this run begins, 0 to 1: several runs side by side do not send in step. */
  readonly phase: number;
  /** How the connections of this generator are numbered in templates. */
  readonly numbering: Numbering;
  /** Of random arrivals; another one in each generator. */
  readonly seed: number;
  /** Connections of this generator. */
  readonly connections: number;
  /** Pace of connecting, all generators together; undefined for as fast as they come. */
  readonly connectionsPerSecond: number | undefined;
  /** Source addresses to spread connections over; empty to let the system choose. */
  readonly localAddresses: readonly string[];
  readonly loop: Loop;
  readonly payloads: readonly Uint8Array[];
  /** How long a reply may take. */
  readonly timeoutMs: number;
}

/** Lateness in nanoseconds. */
export interface Hiccups {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

/** Errors so far, by kind, each with what was said the first time. */
export type ErrorTally = Readonly<Record<string, { readonly count: number; readonly detail: string }>>;

export interface IntervalReport {
  readonly kind: "interval";
  readonly interval: Interval;
  /** CPU time of this thread during the interval; undefined when not known. */
  readonly cpuNs: number | undefined;
  readonly openConnections: number;
  readonly errors: ErrorTally;
}

/** What a generator says; plain data. */
export type Report =
  | { readonly kind: "connecting"; readonly opened: number }
  | {
      readonly kind: "connected";
      readonly opened: number;
      readonly failed: number;
      readonly errors: ErrorTally;
    }
  | IntervalReport
  | {
      readonly kind: "done";
      /** Connections that opened and ended before the run was over. */
      readonly closedEarly: number;
      /** Undefined for a generator that does not open connections by itself. */
      readonly connects: ConnectReport | undefined;
      /** Bytes on all sockets in the window; undefined when they are not counted. */
      readonly wire: WireBytes | undefined;
      /** How evenly messages left, see Dispersion; undefined without a schedule. */
      readonly dispersion: number | undefined;
      /** How late a timer of 1 ms was in the window; undefined when it was not watched. */
      readonly hiccups: Hiccups | undefined;
      /** End of the window on the shared clock. */
      readonly endedNs: number;
      readonly errors: ErrorTally;
    };
