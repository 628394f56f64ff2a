// Owns what is said between the main thread and a generator: the plan that it is given, the reports that it makes.
// Plain data only, so that all of it can cross threads. Must not know how either side works.

import type { Arrivals } from "./pacer.ts";
import type { Interval } from "./recorder.ts";

export type Loop =
  | { readonly kind: "closed"; readonly depth: number }
  | { readonly kind: "open"; readonly ratePerSecond: number; readonly arrivals: Arrivals };

/** What one of several generators is to do; plain data. Rates are those of all of them together. */
export interface Plan {
  readonly thread: { readonly index: number; readonly count: number };
  /** Connections of this generator. */
  readonly connections: number;
  /** Pace of connecting, all generators together; undefined for as fast as they come. */
  readonly connectionsPerSecond: number | undefined;
  /** Source addresses to spread connections over; empty to let the system choose. */
  readonly localAddresses: readonly string[];
  readonly loop: Loop;
  readonly payloads: readonly Uint8Array[];
  /** How long to wait for the last replies. */
  readonly timeoutMs: number;
}

/** Errors so far, by kind, each with what was said the first time. */
export type ErrorTally = Readonly<Record<string, { readonly count: number; readonly detail: string }>>;

export interface IntervalReport {
  readonly kind: "interval";
  readonly interval: Interval;
  /** CPU time that this thread worked during the interval, without idle spinning; undefined when not known. */
  readonly cpuNs: number | undefined;
  /** Time in the interval that the thread spun, waiting for the next due time with nothing to do. */
  readonly idleSpinNs: number;
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
      /** End of the window on the shared clock. */
      readonly endedNs: number;
      readonly errors: ErrorTally;
    };
