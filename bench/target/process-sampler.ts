// Samples a process and its descendants, thread by thread, from /proc.

import { CounterSum } from "./counters.ts";
import { allowedCpus } from "./environment.ts";
import { readKernelMemory, readProcessMemory } from "./memory.ts";
import { descendantsOf, readProcess, readResidentBytes, readTasks, type TaskEntry } from "./proc.ts";
import { membersOf } from "./process-group.ts";
import type { MemorySample, Sampler } from "./sampler.ts";

const periodMs = 1000;
/** Error of tick counts: one tick at each end. */
const tickErrorNs = 2e7;
/** A process with less than this share of the work is a wrapper, not a worker. */
const workerShare = 0.02;

/**
 * Samples a process and its descendants from /proc. If the process has ended, samples the rest of its process group: a
 * command may fork and end.
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

/** Whether the process exists and is readable. */
export function canReadProcess(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

/** CPU time of processes and threads. The time of ended ones is kept, so no sum decreases. */
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
    // Processes of the first sample have counted before; later ones start at 0.
    const isNew = !this.#isFirst;
    this.#isFirst = false;
    this.#threads.take(new Map([...tasks].map(([name, { cpuNs }]) => [name, cpuNs])), isNew);
    this.#waits.take(new Map([...tasks].map(([name, { waitedNs }]) => [name, waitedNs])), isNew);
    this.#ticks.take(ticks, isNew);
    // Ticks include threads that started and ended between two samples; the figures of threads are more exact.
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

  /** Processes with a relevant share of the work; before there was any work, all but the parent. */
  #workers(processes: number): number {
    const { each, total } = this.#ticks;
    return total === 0
      ? Math.max(1, processes - 1)
      : Math.max(1, [...each.values()].filter((ns) => ns > workerShare * total).length);
  }
}
