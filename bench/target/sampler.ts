// Samples the server under test, by process id or from its Prometheus page: CPU time, memory, buffered bytes, drops.

import { parseMetricsText, type Samples, sumOf } from "../../src/lib/prometheus-text.ts";
import { allowedCpus } from "./environment.ts";
import { descendantsOf, readProcess, readResidentBytes, readTasks } from "./proc.ts";
import { membersOf } from "./process-group.ts";
import { TargetError } from "./target.ts";

/** The target at one moment. */
export interface ServerSample {
  /** When it was taken, on the clock of `Sampler.sample`'s caller. */
  readonly takenNs: number;
  /** CPU time so far, user and system. */
  readonly cpuSeconds: number;
  readonly rssBytes: number | null;
  readonly bufferedBytes: number | null;
  /** Messages that the server has dropped so far. */
  readonly droppedMessages: number | null;
  /** Processes that share the work. */
  readonly workers: number;
}

/** A source of samples. */
export interface Sampler {
  readonly source: "pid" | "metrics";
  /** The logical CPUs that the server may use; null when unknown. */
  readonly cpus: number[] | null;
  /** Undefined when the target does not tell (any more). */
  sample(nowNs: () => number): Promise<ServerSample | undefined>;
}

const scrapeTimeoutMs = 2000;

/**
 * Samples a process and its descendants through /proc. Once the process itself has ended, what is left of the process
 * group that is named after it: a command may fork and end.
 */
export function samplePid(pid: number): Sampler {
  const meter = new CpuMeter();
  return {
    source: "pid",
    cpus: allowedCpus(pid),
    async sample(nowNs) {
      const isThere = readProcess(pid)?.isZombie === false;
      const family = isThere ? [pid, ...descendantsOf(pid)] : membersOf(pid);
      const takenNs = nowNs();
      if (family.length === 0) {
        return undefined;
      }
      return {
        takenNs,
        cpuSeconds: meter.read(family) / 1e9,
        rssBytes: sum(family.map(readResidentBytes)),
        bufferedBytes: null,
        droppedMessages: null,
        workers: Math.max(1, family.length - (isThere ? 1 : 0)),
      };
    },
  };
}

/** CPU time of processes that come and go: what they used is kept, so the sum never goes back. */
class CpuMeter {
  readonly #processes = new Map<
    number,
    { readonly tasks: Map<string, number>; endedNs: number; tickNs: number }
  >();

  /** In nanoseconds, of all processes so far. */
  read(pids: readonly number[]): number {
    for (const pid of pids) {
      this.#readProcess(pid);
    }
    // The kernel's ticks know threads that came and went between two readings; the threads themselves are more exact.
    return sum(
      [...this.#processes.values()].map(({ tasks, endedNs, tickNs }) =>
        Math.max(endedNs + sum([...tasks.values()]), tickNs),
      ),
    );
  }

  #readProcess(pid: number): void {
    const entry = readProcess(pid);
    if (entry === undefined) {
      return;
    }
    const tasks = readTasks(pid);
    const known = this.#processes.get(pid) ?? {
      tasks: new Map<string, number>(),
      // Of threads that had ended before.
      endedNs: Math.max(0, entry.tickNs - sum(tasks.map(({ cpuNs }) => cpuNs))),
      tickNs: 0,
    };
    this.#processes.set(pid, known);
    known.tickNs = Math.max(known.tickNs, entry.tickNs);
    for (const { tid, cpuNs } of tasks) {
      const before = known.tasks.get(tid) ?? 0;
      if (cpuNs < before) {
        known.endedNs += before; // Another thread under the same number.
      }
      known.tasks.set(tid, cpuNs);
    }
  }
}

/** Whether there is such a process that we may read. */
export function canReadProcess(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

/** Samples a Prometheus page: prom-client's process metrics, and the echo_ ones when the target is ours. */
export function sampleMetrics(url: string): Sampler {
  return {
    source: "metrics",
    cpus: null,
    async sample(nowNs) {
      const page = await scrape(url);
      return page === undefined ? undefined : readPage(page, nowNs());
    },
  };
}

async function scrape(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept: "text/plain;version=0.0.4" },
      signal: AbortSignal.timeout(scrapeTimeoutMs),
    });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined; // No such page, or a target that is gone or too busy to answer.
  }
}

/** Reads a Prometheus page in text format; undefined when it is none, or does not tell the CPU time. */
export function readPage(page: string, takenNs: number): ServerSample | undefined {
  const samples = samplesOn(page);
  const workers = samples.get("echo_worker_cpu_seconds_total")?.length ?? 0;
  const isShared = workers > 1;
  const cpuSeconds = sumOf(samples, isShared ? "echo_worker_cpu_seconds_total" : "process_cpu_seconds_total");
  if (cpuSeconds === undefined) {
    return undefined;
  }
  const rss = isShared ? "echo_worker_resident_memory_bytes" : "process_resident_memory_bytes";
  return {
    takenNs,
    cpuSeconds,
    rssBytes: sumOf(samples, rss) ?? null,
    bufferedBytes: sumOf(samples, "echo_buffered_bytes") ?? null,
    droppedMessages: sumOf(samples, "echo_sends_total", { result: "dropped" }) ?? null,
    workers: Math.max(1, workers),
  };
}

function samplesOn(page: string): Samples {
  try {
    return parseMetricsText(page);
  } catch {
    return new Map(); // Another kind of page.
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Where to look for the server's figures. */
export interface SamplerChoice {
  readonly pid: number | undefined;
  /** Asked for, so it must be there. */
  readonly metricsUrl: string | undefined;
  /** Tried when nothing was asked for. */
  readonly defaultMetricsUrl: string;
}

/**
 * The best source there is: CPU and memory by process id when that is known, buffered bytes and drops from the
 * Prometheus page when there is one.
 * @throws TargetError when the page that was asked for cannot be used
 */
export async function chooseSampler(choice: SamplerChoice): Promise<Sampler | undefined> {
  const page = sampleMetrics(choice.metricsUrl ?? choice.defaultMetricsUrl);
  const isPageThere = (await page.sample(() => 0)) !== undefined;
  if (!isPageThere && choice.metricsUrl !== undefined) {
    throw new TargetError(`${choice.metricsUrl} is not a Prometheus page with process_cpu_seconds_total`);
  }
  if (choice.pid === undefined) {
    return isPageThere ? page : undefined;
  }
  return isPageThere ? combine(samplePid(choice.pid), page) : samplePid(choice.pid);
}

function combine(process: Sampler, page: Sampler): Sampler {
  return {
    source: process.source,
    cpus: process.cpus,
    async sample(nowNs) {
      const [ofProcess, ofPage] = [await process.sample(nowNs), await page.sample(nowNs)];
      return ofProcess === undefined || ofPage === undefined
        ? ofProcess
        : { ...ofProcess, bufferedBytes: ofPage.bufferedBytes, droppedMessages: ofPage.droppedMessages };
    },
  };
}
