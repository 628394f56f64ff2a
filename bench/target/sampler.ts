// Samples the server under test, by process id or from its Prometheus page: CPU time, memory, buffered bytes, drops.

import type { Route } from "../engine/route.ts";
import type { KernelMemory } from "./memory.ts";
import { samplePage } from "./page-sampler.ts";
import { samplePid } from "./process-sampler.ts";
import { TargetError } from "./target.ts";

/** The target at one moment. Sums count from the first sample on, and never go back. */
export interface ServerSample {
  /** When it was taken, on the clock of `Sampler.sample`'s caller. */
  readonly takenNs: number;
  /** CPU time so far, user and system. */
  readonly cpuSeconds: number;
  /** The same for each thread (of a page: worker), by a name of its own; null when it is not known. */
  readonly threadCpuSeconds: ReadonlyMap<string, number> | null;
  /** Time so far that threads were ready to run and had no CPU; null when it is not known. */
  readonly waitedSeconds: number | null;
  readonly rssBytes: number | null;
  readonly bufferedBytes: number | null;
  /** Messages that the server has dropped so far. */
  readonly droppedMessages: number | null;
  /** Messages that the server has received so far. */
  readonly receivedMessages: number | null;
  /** Processes that share the work. */
  readonly workers: number;
  /** Different processes that answered so far: more than one behind a balancer. */
  readonly replicas: number;
  /** Only where `SamplerChoice.memory` asks for it. */
  readonly memory?: MemorySample;
}

/** Memory more closely. What is not known is null. */
export interface MemorySample {
  /** Pages that processes share count once. */
  readonly pssBytes: number | null;
  /** The part of that which is of no file, so that it does not change with other processes. */
  readonly anonymousBytes: number | null;
  /** Used by objects of JavaScript. */
  readonly heapBytes: number | null;
  readonly descriptors: number | null;
  /** Of this machine, whatever it is used for; null where the server is elsewhere. */
  readonly kernel: KernelMemory | null;
}

/** A source of samples. */
export interface Sampler {
  readonly source: "pid" | "metrics";
  /** The logical CPUs that the server may use; null when unknown. */
  readonly cpus: number[] | null;
  /** Time between samples. */
  readonly periodMs: number;
  /**
   * Undefined when the target does not tell (any more).
   * @param isEdge the window begins or ends here, so nothing may be left for the next time
   */
  sample(nowNs: () => number, isEdge?: boolean): Promise<ServerSample | undefined>;
}

/** A scrape takes our server 2 ms, once in 2,500: below what p99.9 shows. */
export const defaultMetricsPeriodMs = 5000;

/** Where to look for the server's figures. */
export interface SamplerChoice extends Route {
  readonly pid: number | undefined;
  /** Asked for, so it must be there; `off` to look for none. */
  readonly metricsUrl: string | undefined;
  /** Tried when nothing was asked for. */
  readonly defaultMetricsUrl: string;
  /** Each scrape is work for the target, so they are few. */
  readonly metricsPeriodMs: number;
  /** Read memory more closely, which holds the server up for a moment each time. */
  readonly memory?: boolean;
}

/**
 * CPU and memory by process id when that is known; else from the Prometheus page when there is one. With both asked
 * for, the page adds buffered bytes and drops.
 * @throws TargetError when the page that was asked for cannot be used
 */
export async function chooseSampler(choice: SamplerChoice): Promise<Sampler | undefined> {
  const { pid, metricsUrl } = choice;
  const process = pid === undefined ? undefined : samplePid(pid, choice.memory);
  if (metricsUrl === "off" || (process !== undefined && metricsUrl === undefined)) {
    return process;
  }
  const url = metricsUrl ?? choice.defaultMetricsUrl;
  const page = samplePage(url, choice);
  const problem = await page.problem();
  if (problem !== undefined && metricsUrl !== undefined) {
    throw new TargetError(`${url} ${problem}`);
  }
  if (problem !== undefined) {
    return process;
  }
  return process === undefined ? page : combine(process, page);
}

/** Timers are late: what is left of a period is not waited for. */
const periodShare = 0.9;

/** The process at its own pace, and what only the page knows at the page's. */
function combine(process: Sampler, page: Sampler): Sampler {
  let ofPage: ServerSample | undefined;
  let askedNs = Number.NEGATIVE_INFINITY;
  return {
    source: process.source,
    cpus: process.cpus,
    periodMs: process.periodMs,
    async sample(nowNs, isEdge = false) {
      const ofProcess = await process.sample(nowNs);
      if (isEdge || nowNs() - askedNs >= periodShare * page.periodMs * 1e6) {
        askedNs = nowNs();
        ofPage = await page.sample(nowNs);
      }
      if (ofProcess === undefined || ofPage === undefined) {
        return ofProcess;
      }
      const { bufferedBytes, droppedMessages, receivedMessages, replicas } = ofPage;
      const memory = ofProcess.memory && {
        memory: { ...ofProcess.memory, heapBytes: ofPage.memory?.heapBytes ?? null },
      };
      return { ...ofProcess, bufferedBytes, droppedMessages, receivedMessages, replicas, ...memory };
    },
  };
}
