// Samples a process and its descendants, which may come and go, thread by thread through /proc.

import { CounterSum } from "./counters.ts";
import { allowedCpus } from "./environment.ts";
import { readKernelMemory, readProcessMemory } from "./memory.ts";
import { descendantsOf, readProcess, readResidentBytes, readTasks, type TaskEntry } from "./proc.ts";
import { membersOf } from "./process-group.ts";
import type { MemorySample, Sampler } from "./sampler.ts";

const periodMs = 1000;
/** Ticks are counted in whole ones, at both ends. */
const tickErrorNs = 2e7;
/** A process that does less than this part of all work is a wrapper, not a worker. */
const workerShare = 0.02;

/**
 * Samples a process and its descendants through /proc. Once the process itself has ended, what is left of the process
 * group that is named after it: a command may fork and end.
 * @param withMemory read memory more closely, which costs the process a moment
 */
export function samplePid(pid: number, withMemory = false): Sampler {
  const meter = new FamilyMeter();
  return {
    source: "pid",
    cpus: allowedCpus(pid),
    periodMs,
    async sample(nowNs) {
      const isThere = readProcess(pid)?.isZombie === false;
      const family = isThere ? [pid, ...descendantsOf(pid)] : membersOf(pid);
      const takenNs = nowNs();
      if (family.length === 0) {
        return undefined;
      }
      return {
        takenNs,
        ...meter.read(family),
        rssBytes: family.reduce((sum, member) => sum + readResidentBytes(member), 0),
        bufferedBytes: null,
        droppedMessages: null,
        receivedMessages: null,
        replicas: 1,
        ...(withMemory ? { memory: readMemory(family) } : {}),
      };
    },
  };
}

function readMemory(family: readonly number[]): MemorySample {
  const { pssBytes = null, anonymousBytes = null, descriptors = null } = readProcessMemory(family) ?? {};
  return { pssBytes, anonymousBytes, heapBytes: null, descriptors, kernel: readKernelMemory() ?? null };
}

/** Whether there is such a process that we may read. */
export function canReadProcess(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

/** CPU time of processes and threads that come and go: what they used is kept, so no sum goes back. */
class FamilyMeter {
  readonly #threads = new CounterSum();
  readonly #waits = new CounterSum();
  readonly #ticks = new CounterSum();
  #cpuNs = 0;
  #isFirst = true;

  read(pids: readonly number[]) {
    const tasks = new Map<string, TaskEntry>(
      pids.flatMap((pid) => readTasks(pid).map((task) => [`${pid}/${task.tid}`, task] as const)),
    );
    const ticks = new Map(pids.map((pid) => [String(pid), readProcess(pid)?.tickNs ?? 0]));
    // What is there at first has counted before; what comes later has not.
    const isNew = !this.#isFirst;
    this.#isFirst = false;
    this.#threads.take(new Map([...tasks].map(([name, { cpuNs }]) => [name, cpuNs])), isNew);
    this.#waits.take(new Map([...tasks].map(([name, { waitedNs }]) => [name, waitedNs])), isNew);
    this.#ticks.take(ticks, isNew);
    // The kernel's ticks know threads that came and went between two samples; threads themselves are more exact.
    this.#cpuNs = Math.max(this.#cpuNs, this.#threads.total, this.#ticks.total - tickErrorNs * pids.length);
    const isKnown = tasks.size > 0;
    return {
      cpuSeconds: this.#cpuNs / 1e9,
      threadCpuSeconds: isKnown
        ? new Map([...this.#threads.each].map(([name, ns]) => [name, ns / 1e9]))
        : null,
      waitedSeconds: isKnown ? this.#waits.total / 1e9 : null,
      workers: this.#workers(pids.length),
    };
  }

  /** Processes with a share in the work worth mentioning; before there was any, all but the parent. */
  #workers(processes: number): number {
    const { each, total } = this.#ticks;
    return total === 0
      ? Math.max(1, processes - 1)
      : Math.max(1, [...each.values()].filter((ns) => ns > workerShare * total).length);
  }
}
