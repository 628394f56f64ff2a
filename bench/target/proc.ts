// Reads processes from /proc: CPU time in nanoseconds, memory, parents and groups. Ended processes are skipped.

import { readdirSync, readFileSync } from "node:fs";

/** A process as /proc/PID/stat tells. */
export interface ProcessEntry {
  readonly pid: number;
  readonly group: number;
  /** Ended, but not waited for by its parent. */
  readonly isZombie: boolean;
  /** CPU time so far of all its threads, including ended ones, in whole clock ticks. */
  readonly tickNs: number;
}

/** A thread of a process. */
export interface TaskEntry {
  readonly tid: string;
  /** CPU time so far. */
  readonly cpuNs: number;
  /** Time so far that it was ready to run and had no CPU. */
  readonly waitedNs: number;
}

/** Clock ticks in /proc/PID/stat: fixed at 100 a second for user space on every Linux that Node runs on. */
const nsPerTick = 1e7;

/** Every process that can be read. */
export function listProcesses(): ProcessEntry[] {
  return listFolder("/proc").flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

/** One process; undefined if it does not exist or cannot be read. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) {
    return undefined;
  }
  // The name in parentheses may hold anything, so fields are counted from behind it: field 3 is the first.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    group: Number(fields[2]),
    isZombie: fields[0] === "Z" || fields[0] === "X",
    tickNs: (Number(fields[11]) + Number(fields[12])) * nsPerTick,
  };
}

/** The threads of a process, by the scheduler's own statistics; empty on kernels without them. */
export function readTasks(pid: number | "self"): TaskEntry[] {
  return listFolder(`/proc/${pid}/task`).flatMap((tid) => {
    const [cpuNs = Number.NaN, waitedNs = 0] = (readText(`/proc/${pid}/task/${tid}/schedstat`) ?? "")
      .split(" ")
      .map((field) => Number.parseInt(field, 10));
    return Number.isNaN(cpuNs) ? [] : [{ tid, cpuNs, waitedNs }];
  });
}

export function readResidentBytes(pid: number): number {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? "") ?? [];
  return Number(kibibytes) * 1024;
}

/** The environment that a process was started with; empty if it cannot be read. */
export function readEnvironment(pid: number): string {
  return readText(`/proc/${pid}/environ`) ?? "";
}

/** The processes that a process has started, and what those have started. */
export function descendantsOf(pid: number): number[] {
  const children = listFolder(`/proc/${pid}/task`).flatMap((tid) =>
    (readText(`/proc/${pid}/task/${tid}/children`) ?? "").split(" ").filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

export function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // The process has ended, or this is not Linux.
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined; // The process has ended, or the file is not readable or not supported by the kernel.
  }
}
