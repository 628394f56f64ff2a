// How one process is doing: CPU, memory, event loop. Sampled once a second, so that a scrape costs nothing.
import { performance } from "node:perf_hooks";

export interface ProcessSample {
  readonly worker: number;
  /** User and system time since the process started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Share of the last second in which the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
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
