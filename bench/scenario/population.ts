// Describes how many connections a group has over time, and how it reconnects.

import type { Curve } from "./curve.ts";

/** How events are spread in time: at equal distances, or independently of each other. */
export type Arrivals = "even" | "poisson";

export interface Population {
  /**
   * Number of clients. Those at time 0 connect before the timeline begins; from then on clients connect
   * as it grows, and close with 1000 as it shrinks, the newest first.
   */
  readonly size: Curve;
  /**
   * Connections that may begin per second: a schedule that does not wait for handshakes. Undefined: as the size grows;
   * for what is due at once, as fast as handshakes complete, with no more in progress than a listen backlog holds.
   */
  readonly connectRate: number | undefined;
  readonly arrivals: Arrivals;
  /** When a client replaces its connection; null for never. */
  readonly lifetime: Lifetime | null;
  readonly reconnect: Reconnect;
  /** Close codes that are data and not errors. */
  readonly expectedCloses: readonly number[];
}

export type Lifetime =
  | { readonly kind: "fixed"; readonly ms: number }
  | { readonly kind: "exponential"; readonly meanMs: number };

/** What a client does after its connection failed to open or was ended by the target. */
export type Reconnect =
  | { readonly kind: "never" }
  | {
      /** The first attempt comes after `baseMs`, each further one in a row after twice the time, at most `maxMs`. A longer Retry-After is obeyed. */
      readonly kind: "backoff";
      readonly baseMs: number;
      readonly maxMs: number;
      /** full: a random part of that time, so that clients do not come back in step. none: all of it. */
      readonly jitter: "full" | "none";
    };

/** A constant number of connections, without reconnects. */
export function steadyPopulation(size: number, changes: Partial<Population> = {}): Population {
  return {
    size: [{ durationMs: 0, from: size, to: size }],
    connectRate: undefined,
    arrivals: "even",
    lifetime: null,
    reconnect: { kind: "never" },
    expectedCloses: [],
    ...changes,
  };
}
