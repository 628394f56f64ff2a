// The figures of one group of connections in one step.

import { type CounterName, type DistributionName, distributionNames } from "../load/metrics.ts";
import type { GroupStep } from "../load/plan.ts";
import { type Tally, useTimes } from "../load/tally.ts";
import type { EncodedHistogram, Latency } from "../result/schema.ts";
import type { Close } from "../result/schema-figures.ts";
import { timedFigures } from "./usage.ts";

export interface GroupFigures {
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Null if nothing was recorded. */
  readonly distributions: Readonly<Record<DistributionName, TimedFigures | null>>;
  /** How connections ended or failed to open, in chronological order. Excludes those that the client ended. */
  readonly closes: readonly Close[];
  readonly seconds: readonly GroupSecond[];
  /** At the end of the step. */
  readonly openConnections: number;
  /** Clients without the connection that they should have, at the end of the step. */
  readonly absentClients: number;
}

export interface TimedFigures {
  readonly latencyUs: Latency;
  readonly histogram: EncodedHistogram;
}

/** One second of a step; the last one may be shorter. */
export interface GroupSecond {
  /** From the start of the step. */
  readonly endSeconds: number;
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Latency of this step's messages answered in this second; null if there are none. */
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly openConnections: number;
}

/** @param startNs start of the timeline on the shared clock */
export function groupFigures(tally: Tally, step: GroupStep | undefined, startNs: number): GroupFigures {
  const { sent = 0, received = 0 } = step?.wire ?? {};
  const distributions = {} as Record<DistributionName, TimedFigures | null>;
  for (const name of distributionNames) {
    distributions[name] = useTimes([tally], name, timedFigures);
  }
  // In a closed loop the intended send time is the actual one.
  distributions.service ??= distributions.latency;
  return {
    counters: { ...tally.counters, wireSent: sent, wireReceived: received },
    distributions,
    closes: closesOf([tally], startNs),
    seconds: tally.seconds.map(({ endNs, counters, latencyNs, openConnections }) => ({
      endSeconds: endNs / 1e9,
      counters,
      latencyUs:
        latencyNs === undefined
          ? null
          : { p50: latencyNs.p50 / 1000, p99: latencyNs.p99 / 1000, max: latencyNs.max / 1000 },
      openConnections: openConnections.reduce((sum, open) => sum + open, 0),
    })),
    openConnections: tally.openConnections,
    absentClients: tally.absentClients,
  };
}

/** In chronological order, with seconds since `startNs`. */
export function closesOf(tallies: readonly Tally[], startNs: number): Close[] {
  return tallies
    .flatMap((tally) =>
      tally.ended.map(({ second, kind, code, status, count }) => ({
        second: Math.floor((tally.fromNs + second * 1e9 - startNs) / 1e9 + 1e-6),
        kind,
        code,
        status,
        count,
      })),
    )
    .sort((a, b) => a.second - b.second);
}
