// Samples one process: CPU, memory, descriptors, event loop, garbage collection. A read does not list
// open sockets, and `stop` releases all timers and observers.
import { readFileSync } from "node:fs";
import {
  constants,
  type IntervalHistogram,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from "node:perf_hooks";

export interface ProcessSample {
  readonly worker: number;
  /** User and system time since the process started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Share of the last second in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
  /** Expiry of its TLS certificate, in seconds since 1970; undefined without TLS. */
  readonly certificateExpirySeconds?: number | undefined;
}

const intervalMs = 1000;

/** Samples this process until `stop`. */
export class ProcessSampler {
  readonly #worker: number;
  readonly #timer: NodeJS.Timeout;
  #last = performance.eventLoopUtilization();
  #utilization = 0;

  /** @param worker number of this process, from 1 */
  constructor(worker: number) {
    this.#worker = worker;
    this.#timer = setInterval(() => {
      const current = performance.eventLoopUtilization();
      this.#utilization = performance.eventLoopUtilization(current, this.#last).utilization;
      this.#last = current;
    }, intervalMs).unref();
  }

  read(): ProcessSample {
    const { user, system } = process.cpuUsage();
    return {
      worker: this.#worker,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      eventLoopUtilization: this.#utilization,
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Kinds of garbage collection, as labels. */
export const gcKinds = ["minor", "major", "incremental", "weakcb"] as const;
export type GcKind = (typeof gcKinds)[number];
/** Upper bounds of the buckets of garbage collections, in seconds. */
export const gcDurationBounds = [0.001, 0.01, 0.1, 1, 2, 5];

const kindOf = new Map<unknown, GcKind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

/** An entry of type `gc`; the typings leave its detail out. */
interface GcEntry extends PerformanceEntry {
  readonly detail: { readonly kind: number };
}

/** Interval of event-loop measurements, in milliseconds; each costs a wake-up. */
const delayResolutionMs = 50;

/** Monitors event-loop delay since the last read, and garbage collections since the start. */
export class RuntimeMonitor {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: delayResolutionMs });
  readonly #observer = new PerformanceObserver((list) => this.#count(list.getEntries() as GcEntry[]));
  readonly #collections = new Map(
    gcKinds.map((kind) => [kind, { counts: gcDurationBounds.map(() => 0).concat(0), sum: 0 }]),
  );

  constructor() {
    this.#delay.enable();
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** The event-loop delay since the last call, in seconds; 0 without a measurement. */
  takeDelay() {
    const delay = this.#delay;
    const isEmpty = delay.count === 0;
    // The recorded value is the time between two runs of the timer, including its interval.
    const seconds = (nanoseconds: number): number =>
      isEmpty ? 0 : Math.max(0, nanoseconds / 1e9 - delayResolutionMs / 1000);
    const taken = {
      min: seconds(delay.min),
      max: seconds(delay.max),
      mean: seconds(delay.mean),
      stddev: isEmpty ? 0 : delay.stddev / 1e9,
      p50: seconds(delay.percentile(50)),
      p90: seconds(delay.percentile(90)),
      p99: seconds(delay.percentile(99)),
    };
    delay.reset();
    return taken;
  }

  /** Durations of the collections of one kind. */
  collections(kind: GcKind): { readonly counts: readonly number[]; readonly sum: number } {
    return this.#collections.get(kind) ?? { counts: [], sum: 0 };
  }

  stop(): void {
    this.#delay.disable();
    this.#observer.disconnect();
  }

  #count(entries: readonly GcEntry[]): void {
    for (const { detail, duration } of entries) {
      const collections = this.#collections.get(kindOf.get(detail.kind) ?? "minor");
      if (collections !== undefined) {
        const seconds = duration / 1000;
        const found = gcDurationBounds.findIndex((bound) => seconds <= bound);
        const at = found < 0 ? gcDurationBounds.length : found;
        collections.counts[at] = (collections.counts[at] ?? 0) + 1;
        collections.sum += seconds;
      }
    }
  }
}

/** Memory from /proc in bytes; undefined outside Linux. */
export function linuxMemory(): { virtualBytes: number; dataBytes: number } | undefined {
  if (process.platform !== "linux") {
    return undefined;
  }
  const status = readFileSync("/proc/self/status", "utf8");
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { virtualBytes: bytes("VmSize"), dataBytes: bytes("VmData") };
}
