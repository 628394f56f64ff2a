// Adds up the reports of all generators of one run: counts and histograms, in total and per second.

import type { Histogram } from "hdr-histogram-js";
import { addEncoded, createHistogram, encodeHistogram } from "./histogram.ts";
import type { IntervalReport } from "./plan.ts";
import type { Interval } from "./recorder.ts";

/** One second of the window, all generators together. */
export interface SecondTally {
  /** End of it, in nanoseconds from the start of the window. */
  endNs: number;
  replies: number;
  bytes: number;
  /** CPU time of the generator threads; undefined where it is not known. */
  cpuNs: number | undefined;
  /** Of the window's messages that were answered in this second; undefined when there was none. */
  latencyNs: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  /** p99 of how late the generators sent; undefined without a schedule. */
  lagNs: number | undefined;
}

/** Latencies of one or more whole seconds, all generators together. */
export interface IntervalTally {
  readonly encoded: Uint8Array;
  readonly replies: number;
}

/** More intervals are folded, two into one: memory must not grow with the duration. */
const mostIntervals = 256;

/** What is kept of a second until all generators have reported it. */
interface UnfinishedSecond {
  readonly histogram: Histogram;
  readonly lag: Histogram;
  reports: number;
}

/** Latencies in nanoseconds, with their exact extremes (a histogram only knows buckets). */
export interface LatencyTally {
  readonly histogram: Histogram;
  minNs: number;
  maxNs: number;
}

function createLatencyTally(): LatencyTally {
  return { histogram: createHistogram(64), minNs: Number.POSITIVE_INFINITY, maxNs: 0 };
}

export class Tally {
  readonly latency = createLatencyTally();
  readonly service = createLatencyTally();
  readonly lag = createHistogram(64);
  /** The part of `latency` that is of unsent messages. */
  readonly unsentLatency = createHistogram(64);
  /** Seconds of the window in order; the last one may be shorter. */
  readonly seconds: SecondTally[] = [];
  /** Intervals of `intervalSeconds` each, in order, as far as they are complete. */
  intervals: IntervalTally[] = [];
  intervalSeconds = 1;
  sent = 0;
  unsent = 0;
  answered = 0;
  lost = 0;
  corrupt = 0;
  /** Replies and payload octets that arrived inside the window. */
  replies = 0;
  bytes = 0;
  readonly #fromNs: number;
  readonly #threads: number;
  readonly #latestRates: number[] = [];
  readonly #cpuNs: (number | undefined)[] = [];
  /** The seconds of the next interval, until there are enough of them. */
  #open: IntervalTally[] = [];
  readonly #unfinished = new Map<number, UnfinishedSecond>();

  /** @param fromNs start of the window */
  constructor(fromNs: number, threads: number) {
    this.#fromNs = fromNs;
    this.#threads = threads;
    addEncoded(this.lag, encodeHistogram(this.lag)); // The first time takes milliseconds: not in the window.
  }

  /** Takes a report of the generator with number `thread`. */
  add(thread: number, { interval, cpuNs }: IntervalReport): void {
    this.#addFates(interval);
    if (interval.phase !== "drain") {
      this.#latestRates[thread] =
        interval.replies / Math.max(1e-9, (interval.endNs - interval.startNs) / 1e9);
    }
    if (interval.phase === "measure") {
      this.#addSecond(interval, cpuNs);
      const earlier = this.#cpuNs[thread] ?? 0;
      this.#cpuNs[thread] = cpuNs === undefined ? undefined : earlier + cpuNs;
    }
  }

  /** How the last full second went, warm-up included (which has no latencies): for the progress line. */
  get latest(): { messagesPerSecond: number | null; p50Ns: number | undefined; p99Ns: number | undefined } {
    const latencyNs = this.seconds.at(-1)?.latencyNs;
    return {
      messagesPerSecond:
        this.#latestRates.length === 0 ? null : this.#latestRates.reduce((sum, rate) => sum + rate, 0),
      p50Ns: latencyNs?.p50,
      p99Ns: latencyNs?.p99,
    };
  }

  /** CPU time of each generator thread inside the window, undefined where it is not known. */
  get threadCpuNs(): readonly (number | undefined)[] {
    return this.#cpuNs;
  }

  #addFates(interval: Interval): void {
    this.sent += interval.sent;
    this.unsent += interval.unsent;
    this.answered += interval.answered;
    this.lost += interval.lost;
    this.corrupt += interval.corrupt;
    addTo(this.latency, interval.latency, interval.minLatencyNs, interval.maxLatencyNs);
    if (interval.unsentLatency !== undefined) {
      addEncoded(this.unsentLatency, interval.unsentLatency);
    }
    addTo(this.service, interval.service ?? interval.latency, interval.minServiceNs, interval.maxServiceNs);
    if (interval.lag !== undefined) {
      addEncoded(this.lag, interval.lag);
    }
  }

  #addSecond(interval: Interval, cpuNs: number | undefined): void {
    const index = Math.round((interval.startNs - this.#fromNs) / 1e9);
    const second = this.seconds[index] ?? createSecond();
    this.seconds[index] = second;
    second.endNs = Math.max(second.endNs, interval.endNs - this.#fromNs);
    second.replies += interval.replies;
    second.bytes += interval.bytes;
    second.cpuNs = second.cpuNs === undefined || cpuNs === undefined ? undefined : second.cpuNs + cpuNs;
    this.replies += interval.replies;
    this.bytes += interval.bytes;
    this.#addLatency(index, second, interval);
  }

  /** Keeps a second's histogram only until it is complete: memory must not grow with the duration. */
  #addLatency(index: number, second: SecondTally, interval: Interval): void {
    const unfinished = this.#unfinished.get(index) ?? {
      histogram: createHistogram(64),
      lag: createHistogram(64),
      reports: 0,
    };
    const { histogram, lag } = unfinished;
    addEncoded(histogram, interval.latency);
    unfinished.reports += 1;
    if (interval.lag !== undefined) {
      addEncoded(lag, interval.lag);
      second.lagNs = lag.totalCount === 0 ? undefined : lag.getValueAtPercentile(99);
    }
    if (histogram.totalCount > 0) {
      second.latencyNs = {
        p50: histogram.getValueAtPercentile(50),
        p99: histogram.getValueAtPercentile(99),
        max: histogram.maxValue,
      };
    }
    if (unfinished.reports === this.#threads) {
      this.#unfinished.delete(index);
      this.#addInterval({ encoded: encodeHistogram(histogram), replies: second.replies });
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

function createSecond(): SecondTally {
  return { endNs: 0, replies: 0, bytes: 0, cpuNs: 0, latencyNs: undefined, lagNs: undefined };
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

function addTo(tally: LatencyTally, encoded: Uint8Array, minNs: number, maxNs: number): void {
  addEncoded(tally.histogram, encoded);
  tally.minNs = Math.min(tally.minNs, minNs);
  tally.maxNs = Math.max(tally.maxNs, maxNs);
}
