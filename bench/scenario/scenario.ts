// Describes a session: groups of connections, their traffic, and the steps of the timeline. Plain data.

import type { Endpoint, EngineName } from "../engine/connection.ts";
import type { Population } from "./population.ts";
import type { Traffic } from "./traffic.ts";

export interface Scenario {
  readonly target: Target;
  /** At least one, by different names. */
  readonly groups: readonly Group[];
  /** At least one. The first begins when the connections that are due at the start are open. */
  readonly timeline: readonly Step[];
  readonly guards: Guards;
  readonly resources: Resources;
}

/** Where and how to connect. `timeoutMs` applies to each handshake and each reply. */
export type Target = Omit<
  Endpoint,
  "payloads" | "type" | "verify" | "readBytesPerSecond" | "passesContent"
> & {
  readonly engine: EngineName;
  /** Source addresses, used in turn; none to let the system choose. */
  readonly sources?: readonly string[];
};

/** A group of connections with the same settings. */
export interface Group {
  readonly name: string;
  readonly population: Population;
  readonly traffic: Traffic;
  /** It has a thread for itself, so that it does not wait for other groups' work. Else all threads share it. */
  readonly hasOwnThread?: boolean;
}

export interface Step {
  /** Different from the other steps'. */
  readonly name: string;
  readonly durationMs: number;
  /** Whether its figures count; those of a warm-up do not. */
  readonly measured: boolean;
  /** The session ends as soon as one of these has held for its time. */
  readonly abortIf: readonly Abort[];
}

/** A condition on the figures of each second, all groups together. */
export interface Abort {
  /** As typed, for reports. */
  readonly expression: string;
  readonly metric: AbortMetric;
  readonly operator: ">" | ">=" | "<" | "<=";
  /** Times are in microseconds. */
  readonly value: number;
  /** How long it has to hold, in whole seconds of the session. */
  readonly forMs: number;
}

/** Latencies of the replies of the second; messages per second; errors, closed and failed connections in it. */
export const abortMetrics = ["p50", "p99", "max", "lag", "rate", "errors", "closed", "failed"] as const;
export type AbortMetric = (typeof abortMetrics)[number];

/** Limits that always end a session. */
export interface Guards {
  /** Maximum time without any connection. */
  readonly goneAfterMs: number;
  /** Connections that failed to open or were ended by the target unexpectedly, all together. */
  readonly maxFailures: number;
}

/** Guards that a session of so many connections hits only when something is wrong. */
export function defaultGuards(connections: number): Guards {
  return { goneAfterMs: 30_000, maxFailures: Math.max(1000, 10 * connections) };
}

export interface Resources {
  readonly threads: number;
  /** Makes random choices repeat: arrivals, lifetimes, jitter. Generated payloads follow it too. */
  readonly seed: number;
  /** Which of several generators of one session this is; undefined for the only one. */
  readonly part: { readonly number: number; readonly of: number } | undefined;
}
