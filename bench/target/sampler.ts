// Samples the server under test, by process id or from its Prometheus page: CPU time, memory, buffered bytes, drops.

import type { Route } from "../engine/route.ts";
import type { KernelMemory } from "./memory.ts";
import { samplePage } from "./page-sampler.ts";
import { samplePid } from "./process-sampler.ts";
import { TargetError } from "./target.ts";

/** The target at one moment. Sums start at the first sample and never decrease. */
export interface ServerSample {
  /** When it was taken, on the clock of `Sampler.sample`'s caller. */
  readonly takenNs: number;
  /** CPU time so far, user and system. */
  readonly cpuSeconds: number;
  /** The same per thread (of a page: worker), by a unique name; null if unknown. */
  readonly threadCpuSeconds: ReadonlyMap<string, number> | null;
  /** Time so far that threads were ready to run but waited for a CPU; null if unknown. */
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
  /** Addresses whose page could not be read this time. */
  readonly silent?: readonly string[];
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
   * Takes a sample; undefined if the target does not provide one (any more).
   * @param isEdge the window starts or ends here, so the sample must be complete
   */
  sample(nowNs: () => number, isEdge?: boolean): Promise<ServerSample | undefined>;
}

/** A scrape takes 2 ms of our server every 5,000 ms, which p99.9 does not show. */
export const defaultMetricsPeriodMs = 5000;

/** The sources of the server's figures. */
export interface SamplerChoice extends Route {
  readonly pid: number | undefined;
  /** The requested page, which must exist; `off` for none. */
  readonly metricsUrl: string | undefined;
  /** Tried if no page is requested. */
  readonly defaultMetricsUrl: string;
  /** Time between scrapes, each of which is work for the target. */
  readonly metricsPeriodMs: number;
  /** Read memory more closely, which holds the server up for a moment each time. */
  readonly memory?: boolean;
}

/**
 * Chooses the sampler: by process id if known, else from the Prometheus page if it exists. With both, the page adds
 * buffered bytes and drops.
 * @throws TargetError if the requested page cannot be used
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

/** Timers are late, so a sample is due after this share of a period. */
const periodShare = 0.9;

/** Samples the process at its period, and the page at the page's. */
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
      const silent = ofPage.silent && { silent: ofPage.silent };
      return {
        ...ofProcess,
        bufferedBytes,
        droppedMessages,
        receivedMessages,
        replicas,
        ...silent,
        ...memory,
      };
    },
  };
}
