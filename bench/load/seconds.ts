// Combines the reports of all groups and generators second by second during the session.

import type { Histogram } from "hdr-histogram-js";
import { addEncoded, createHistogram } from "./histogram.ts";
import { addCounters, type Counters, zeroCounters } from "./metrics.ts";
import type { IntervalReport } from "./plan.ts";

/** One second of a step (less at its end), all groups together. */
export interface SecondFigures {
  readonly step: number;
  /** On the shared clock. */
  readonly startNs: number;
  readonly endNs: number;
  readonly counters: Readonly<Counters>;
  /** Latency of the step's messages answered in it; undefined if there are none. */
  readonly latencyNs: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  /** p99 of the generators' lag; undefined without a schedule. */
  readonly lagNs: number | undefined;
  readonly openConnections: number;
  readonly absentClients: number;
}

interface Unfinished {
  endNs: number;
  readonly counters: Counters;
  readonly latency: Histogram;
  readonly lag: Histogram;
  openConnections: number;
  absentClients: number;
  reports: number;
}

export class Seconds {
  readonly #parts: number;
  readonly #onSecond: (figures: SecondFigures) => void;
  readonly #unfinished = new Map<string, Unfinished>();
  /** The last second that is complete. */
  latest: SecondFigures | undefined;

  /** @param parts how many reports make a second: one of each group and generator */
  constructor(parts: number, onSecond: (figures: SecondFigures) => void) {
    this.#parts = parts;
    this.#onSecond = onSecond;
  }

  add({ step, interval, openConnections, absentClients }: IntervalReport): void {
    if (interval.phase !== "step" || step < 0) {
      return;
    }
    const key = `${step}/${interval.startNs}`;
    const second = this.#unfinished.get(key) ?? createUnfinished();
    this.#unfinished.set(key, second);
    second.endNs = Math.max(second.endNs, interval.endNs);
    addCounters(second.counters, interval.counters);
    second.openConnections += openConnections;
    second.absentClients += absentClients;
    second.reports += 1;
    for (const name of ["latency", "lag"] as const) {
      const recorded = interval.distributions[name];
      if (recorded !== undefined) {
        addEncoded(second[name], recorded.encoded);
      }
    }
    if (second.reports === this.#parts) {
      this.#unfinished.delete(key);
      this.#finish(step, interval.startNs, second);
    }
  }

  /** Frees the memory of what is not complete. */
  destroy(): void {
    for (const { latency, lag } of this.#unfinished.values()) {
      latency.destroy();
      lag.destroy();
    }
    this.#unfinished.clear();
  }

  #finish(step: number, startNs: number, second: Unfinished): void {
    const { latency, lag, endNs, counters, openConnections, absentClients } = second;
    this.latest = {
      step,
      startNs,
      endNs,
      counters,
      latencyNs:
        latency.totalCount === 0
          ? undefined
          : {
              p50: latency.getValueAtPercentile(50),
              p99: latency.getValueAtPercentile(99),
              max: latency.maxValue,
            },
      lagNs: lag.totalCount === 0 ? undefined : lag.getValueAtPercentile(99),
      openConnections,
      absentClients,
    };
    latency.destroy();
    lag.destroy();
    this.#onSecond(this.latest);
  }
}

function createUnfinished(): Unfinished {
  return {
    endNs: 0,
    counters: zeroCounters(),
    latency: createHistogram(64),
    lag: createHistogram(64),
    openConnections: 0,
    absentClients: 0,
    reports: 0,
  };
}
