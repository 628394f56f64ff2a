// Samples the server under test, by process id or from its Prometheus page: CPU time, memory, buffered bytes, drops.

import { readdirSync, readFileSync } from "node:fs";
import { allowedCpus } from "./environment.ts";
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

/** Clock ticks per second in /proc/PID/stat: fixed at 100 for user space on every Linux that Node runs on. */
const ticksPerSecond = 100;
const scrapeTimeoutMs = 2000;

/** Samples a process and its descendants through /proc. */
export function samplePid(pid: number): Sampler {
  return {
    source: "pid",
    cpus: allowedCpus(pid),
    async sample(nowNs) {
      const family = [pid, ...descendantsOf(pid)].map(readProcess).filter((process) => process !== undefined);
      const takenNs = nowNs();
      if (family.length === 0) {
        return undefined;
      }
      return {
        takenNs,
        cpuSeconds: sum(family.map((process) => process.cpuSeconds)),
        rssBytes: sum(family.map((process) => process.rssBytes)),
        bufferedBytes: null,
        droppedMessages: null,
        workers: Math.max(1, family.length - 1),
      };
    },
  };
}

/** Whether there is such a process that we may read. */
export function canReadProcess(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

function readProcess(pid: number): ProcessFigures | undefined {
  try {
    // The name in parentheses may hold anything, so fields are counted from behind it: field 3 is the first.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const [, kibibytes = "0"] =
      /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return { cpuSeconds: ticks / ticksPerSecond, rssBytes: Number(kibibytes) * 1024 };
  } catch {
    return undefined; // Gone, or not ours to read.
  }
}

function descendantsOf(pid: number): number[] {
  const children = childrenOf(pid);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return []; // Gone meanwhile, or a kernel that does not list children.
  }
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

/** Reads a Prometheus page in text format; undefined when it does not tell the CPU time. */
export function readPage(page: string, takenNs: number): ServerSample | undefined {
  const workerCpuSeconds = valuesOf(page, "echo_worker_cpu_seconds_total");
  const processCpuSeconds = valuesOf(page, "process_cpu_seconds_total");
  const isShared = workerCpuSeconds.length > 1;
  const cpuSeconds = isShared ? workerCpuSeconds : processCpuSeconds;
  if (cpuSeconds.length === 0) {
    return undefined;
  }
  const rssBytes = valuesOf(
    page,
    isShared ? "echo_worker_resident_memory_bytes" : "process_resident_memory_bytes",
  );
  const bufferedBytes = valuesOf(page, "echo_buffered_bytes");
  const droppedMessages = valuesOf(page, "echo_sends_total", 'result="dropped"');
  return {
    takenNs,
    cpuSeconds: sum(cpuSeconds),
    rssBytes: rssBytes.length === 0 ? null : sum(rssBytes),
    bufferedBytes: bufferedBytes.length === 0 ? null : sum(bufferedBytes),
    droppedMessages: droppedMessages.length === 0 ? null : sum(droppedMessages),
    workers: Math.max(1, workerCpuSeconds.length),
  };
}

/** All samples of one metric, those only that have `label` when given. */
function valuesOf(page: string, name: string, label?: string): number[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => label === undefined || line.includes(label))
    .map((line) =>
      Number(
        line
          .slice(line.lastIndexOf("}") + 1)
          .trim()
          .split(/\s+/)[line.includes("}") ? 0 : 1],
      ),
    )
    .filter((value) => Number.isFinite(value));
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
    throw new TargetError(`${choice.metricsUrl} is no Prometheus page with process_cpu_seconds_total`);
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
