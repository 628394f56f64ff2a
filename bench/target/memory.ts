// Reads memory as Linux accounts for it: of processes, and of the kernel for sockets.

import { listFolder, readText } from "./proc.ts";

/** Memory of processes, together. */
export interface ProcessMemory {
  readonly rssBytes: number;
  /** Pages that several processes share count once; null where /proc/PID/smaps_rollup cannot be read. */
  readonly pssBytes: number | null;
  /**
   * The part not backed by files. A process's share of a file changes with the other processes that have it
   * mapped, as those of a second program on Node do.
   */
  readonly anonymousBytes: number | null;
  /** Null without permission to count them. */
  readonly descriptors: number | null;
}

/** Memory that the kernel uses for all that runs on the machine. */
export interface KernelMemory {
  /** Its own objects: sockets, files, names. */
  readonly slabBytes: number;
  /** Data in socket buffers, in whole pages. */
  readonly tcpBytes: number;
}

/** Read once: it does not change. */
let knownPageBytes: number | undefined;

export function readProcessMemory(pids: readonly number[]): ProcessMemory | undefined {
  const known = pids.flatMap((pid) => readOne(pid) ?? []);
  return known.length === 0 ? undefined : known.reduce(plus);
}

function readOne(pid: number): ProcessMemory | undefined {
  const status = readText(`/proc/${pid}/status`);
  const rssBytes = kibibytesOf(status ?? "", "VmRSS");
  if (rssBytes === undefined) {
    return undefined;
  }
  const rollup = readText(`/proc/${pid}/smaps_rollup`) ?? "";
  const anonymousBytes = kibibytesOf(rollup, "Pss_Anon");
  const descriptors = listFolder(`/proc/${pid}/fd`).length;
  return {
    rssBytes,
    pssBytes: kibibytesOf(rollup, "Pss") ?? null,
    anonymousBytes:
      anonymousBytes === undefined ? null : anonymousBytes + (kibibytesOf(rollup, "Pss_Shmem") ?? 0),
    // Every process has some: 0 means no permission.
    descriptors: descriptors === 0 ? null : descriptors,
  };
}

function plus(one: ProcessMemory, other: ProcessMemory): ProcessMemory {
  const sum = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : a + b;
  return {
    rssBytes: one.rssBytes + other.rssBytes,
    pssBytes: sum(one.pssBytes, other.pssBytes),
    anonymousBytes: sum(one.anonymousBytes, other.anonymousBytes),
    descriptors: sum(one.descriptors, other.descriptors),
  };
}

/** Undefined on systems without it. */
export function readKernelMemory(): KernelMemory | undefined {
  const slabBytes = kibibytesOf(readText("/proc/meminfo") ?? "", "Slab");
  const [, pages] = /^TCP:.* mem (\d+)/m.exec(readText("/proc/net/sockstat") ?? "") ?? [];
  return slabBytes === undefined || pages === undefined
    ? undefined
    : { slabBytes, tcpBytes: Number(pages) * pageBytes() };
}

function pageBytes(): number {
  knownPageBytes ??= kibibytesOf(readText("/proc/self/smaps") ?? "", "KernelPageSize") ?? 4096;
  return knownPageBytes;
}

function kibibytesOf(text: string, field: string): number | undefined {
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
