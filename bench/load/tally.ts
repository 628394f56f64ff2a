// Adds up the reports of all generators about one step of a group: counters and histograms, in total and per second.

import type { Histogram } from "hdr-histogram-js";
import { addEncoded, createHistogram, encodeHistogram } from "./histogram.ts";
import {
  addCounters,
  type Counters,
  type DistributionName,
  distributionNames,
  type Ended,
  zeroCounters,
} from "./metrics.ts";
import type { IntervalReport } from "./plan.ts";
import type { Interval } from "./recorder.ts";

/** One second of the step, all generators together. */
export interface SecondTally {
  /** End of it, in nanoseconds from the start of the step. */
  endNs: number;
  readonly counters: Counters;
  /** At its end. */
  readonly openConnections: number[];
  /** CPU time of the generator threads; undefined if unknown. */
  cpuNs: number | undefined;
  /** Latency of the step's messages answered in this second; undefined if there are none. */
  latencyNs: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  /** p99 of the generators' lag; undefined without a schedule. */
  lagNs: number | undefined;
}

/** Latencies of one or more whole seconds, all generators together. */
export interface IntervalTally {
  readonly encoded: Uint8Array;
  readonly replies: number;
}

/** More intervals are folded, two into one: memory must not grow with the duration. */
const mostIntervals = 256;

/** The data of a second until all generators have reported it. */
interface UnfinishedSecond {
  readonly histogram: Histogram;
  readonly lag: Histogram;
  reports: number;
}

/** Times in nanoseconds, with their exact extremes (a histogram only knows buckets). */
export interface TimesTally {
  readonly histogram: Histogram;
  minNs: number;
  maxNs: number;
}

/** How connections ended in one second, counted from the start of the step. */
export interface EndedTally extends Ended {
  readonly second: number;
}

export class Tally {
  readonly counters = zeroCounters();
  /** Seconds of the step in order; the last one may be shorter. */
  readonly seconds: SecondTally[] = [];
  readonly ended: EndedTally[] = [];
  /** Latencies of `intervalSeconds` each, in order, as far as they are complete. */
  intervals: IntervalTally[] = [];
  intervalSeconds = 1;
  readonly #times = new Map<DistributionName, TimesTally>();
  /** Start of the step. */
  readonly fromNs: number;
  readonly #threads: number;
  readonly #cpuNs: (number | undefined)[] = [];
  /** The latest of each thread. */
  readonly #openConnections: number[] = [];
  readonly #absentClients: number[] = [];
  /** The seconds of the next interval, until there are enough of them. */
  #open: IntervalTally[] = [];
  readonly #unfinished = new Map<number, UnfinishedSecond>();

  constructor(fromNs: number, threads: number) {
    this.fromNs = fromNs;
    this.#threads = threads;
  }

  /** Adds a report of the generator with number `thread`. */
  add(thread: number, report: IntervalReport): void {
    const { interval, cpuNs, openConnections, absentClients } = report;
    addCounters(this.counters, interval.counters);
    for (const name of distributionNames) {
      const recorded = interval.distributions[name];
      if (recorded !== undefined) {
        const sum = this.times(name);
        addEncoded(sum.histogram, recorded.encoded);
        sum.minNs = Math.min(sum.minNs, recorded.minNs);
        sum.maxNs = Math.max(sum.maxNs, recorded.maxNs);
      }
    }
    const second = Math.floor((interval.startNs - this.fromNs) / 1e9 + 1e-6);
    this.#addEnded(second, interval.ended);
    if (interval.phase === "step") {
      this.#openConnections[thread] = openConnections;
      this.#absentClients[thread] = absentClients;
      const earlier = this.#cpuNs[thread] ?? 0;
      this.#cpuNs[thread] = cpuNs === undefined ? undefined : earlier + cpuNs;
      // A step that is cut short at the start of a second does not have that second.
      if (second >= 0 && interval.endNs > interval.startNs) {
        this.#addSecond(thread, second, report);
      }
    }
  }

  /** Adds a step that follows. */
  append(step: Tally): void {
    addCounters(this.counters, step.counters);
    const laterNs = step.fromNs - this.fromNs;
    this.seconds.push(...step.seconds.map((second) => ({ ...second, endNs: second.endNs + laterNs })));
    this.ended.push(
      ...step.ended.map((each) => ({ ...each, second: each.second + Math.round(laterNs / 1e9) })),
    );
    for (const [name, { histogram, minNs, maxNs }] of step.#times) {
      const sum = this.times(name);
      sum.histogram.add(histogram);
      sum.minNs = Math.min(sum.minNs, minNs);
      sum.maxNs = Math.max(sum.maxNs, maxNs);
    }
    step.threadCpuNs.forEach((cpuNs, thread) => {
      const earlier = this.#cpuNs[thread] ?? 0;
      this.#cpuNs[thread] = cpuNs === undefined ? undefined : earlier + cpuNs;
    });
  }

  /** The values of a distribution so far. */
  times(name: DistributionName): TimesTally {
    const known = this.#times.get(name);
    if (known !== undefined) {
      return known;
    }
    const times = { histogram: createHistogram(64), minNs: Number.POSITIVE_INFINITY, maxNs: 0 };
    this.#times.set(name, times);
    return times;
  }

  /** From the actual send time, which in a closed loop is the intended one. */
  get service(): TimesTally {
    const service = this.times("service");
    return service.histogram.totalCount === 0 ? this.times("latency") : service;
  }

  /** CPU time of each generator thread in the step; undefined if unknown. */
  get threadCpuNs(): readonly (number | undefined)[] {
    return this.#cpuNs;
  }

  /** As last reported. */
  get openConnections(): number {
    return sumOfNumbers(this.#openConnections);
  }

  get absentClients(): number {
    return sumOfNumbers(this.#absentClients);
  }

  /** Frees the memory of the histograms. Do not use the tally afterwards. */
  destroy(): void {
    for (const { histogram } of this.#times.values()) {
      histogram.destroy();
    }
    for (const { histogram, lag } of this.#unfinished.values()) {
      histogram.destroy();
      lag.destroy();
    }
  }

  #addEnded(second: number, ended: readonly Ended[]): void {
    for (const part of ended) {
      const alike = this.ended.find(
        (each) =>
          each.second === second &&
          each.kind === part.kind &&
          each.code === part.code &&
          each.status === part.status,
      );
      if (alike === undefined) {
        this.ended.push({ ...part, second });
      } else {
        alike.count += part.count;
      }
    }
  }

  #addSecond(thread: number, index: number, { interval, cpuNs, openConnections }: IntervalReport): void {
    const second = this.seconds[index] ?? {
      endNs: 0,
      counters: zeroCounters(),
      openConnections: [],
      cpuNs: 0,
      latencyNs: undefined,
      lagNs: undefined,
    };
    this.seconds[index] = second;
    second.endNs = Math.max(second.endNs, interval.endNs - this.fromNs);
    addCounters(second.counters, interval.counters);
    second.openConnections[thread] = openConnections;
    second.cpuNs = second.cpuNs === undefined || cpuNs === undefined ? undefined : second.cpuNs + cpuNs;
    this.#addLatency(index, second, interval);
  }

  /** Keeps a second's histogram only until it is complete: memory must not grow with the duration. */
  #addLatency(index: number, second: SecondTally, { distributions }: Interval): void {
    const unfinished = this.#unfinished.get(index) ?? {
      histogram: createHistogram(64),
      lag: createHistogram(64),
      reports: 0,
    };
    const { histogram, lag } = unfinished;
    if (distributions.latency !== undefined) {
      addEncoded(histogram, distributions.latency.encoded);
    }
    if (distributions.lag !== undefined) {
      addEncoded(lag, distributions.lag.encoded);
      second.lagNs = lag.getValueAtPercentile(99);
    }
    unfinished.reports += 1;
    if (histogram.totalCount > 0) {
      second.latencyNs = {
        p50: histogram.getValueAtPercentile(50),
        p99: histogram.getValueAtPercentile(99),
        max: histogram.maxValue,
      };
    }
    if (unfinished.reports === this.#threads) {
      this.#unfinished.delete(index);
      this.#addInterval({ encoded: encodeHistogram(histogram), replies: second.counters.received });
      histogram.destroy();
      lag.destroy();
    } else {
      this.#unfinished.set(index, unfinished);
    }
  }

  #addInterval(second: IntervalTally): void {
    this.#open.push(second);
    if (this.#open.length === this.intervalSeconds) {
      this.intervals.push(sumOf(this.#open));
      this.#open = [];
    }
    if (this.intervals.length === mostIntervals) {
      this.intervals = Array.from({ length: mostIntervals / 2 }, (_, i) =>
        sumOf(this.intervals.slice(2 * i, 2 * i + 2)),
      );
      this.intervalSeconds *= 2;
    }
  }
}

function sumOf(parts: readonly IntervalTally[]): IntervalTally {
  const histogram = createHistogram(64);
  for (const { encoded } of parts) {
    addEncoded(histogram, encoded);
  }
  const encoded = encodeHistogram(histogram);
  histogram.destroy();
  return { encoded, replies: parts.reduce((sum, { replies }) => sum + replies, 0) };
}

function sumOfNumbers(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The sum of steps that adjoin, as one step; of one step, that step. Its spans are those of equal load: none. */
export function sumOfSteps(steps: readonly Tally[]): Tally {
  const [first] = steps;
  if (first === undefined || steps.length === 1) {
    return first ?? new Tally(0, 1);
  }
  const sum = new Tally(first.fromNs, first.threadCpuNs.length);
  for (const step of steps) {
    sum.append(step);
  }
  return sum;
}

/** Calls `use` with the sum of a distribution over several tallies, and frees it afterwards. */
export function useTimes<T>(
  tallies: readonly Tally[],
  name: DistributionName,
  use: (times: TimesTally) => T,
): T {
  const histogram = createHistogram(64);
  const all = tallies.map((tally) => tally.times(name));
  for (const times of all) {
    histogram.add(times.histogram);
  }
  const sum = {
    histogram,
    minNs: Math.min(...all.map(({ minNs }) => minNs)),
    maxNs: Math.max(...all.map(({ maxNs }) => maxNs)),
  };
  try {
    return use(sum);
  } finally {
    histogram.destroy();
  }
}
