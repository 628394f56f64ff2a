// Reads the limits of this process, descriptors and memory, and derives defaults from them.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";

const miB = 1024 * 1024;

/** The minimum descriptor limit to load the command and serve a few clients. */
export const leastDescriptors = 128;

/** Descriptors reserved for files, timers, IPC, and the refusal of clients. */
export const reservedDescriptors = 64;

/**
 * The limit on open descriptors of this process, RLIMIT_NOFILE. Node has raised the soft limit to the hard one.
 * @returns Infinity where it is unlimited
 */
export function descriptorLimit(): number {
  if (process.platform === "win32") {
    return Number.POSITIVE_INFINITY;
  }
  if (process.platform === "linux") {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  }
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft: string | number } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : Number.POSITIVE_INFINITY;
}

/**
 * The number of open descriptors, or undefined if the system does not report it. Linux 6.2 and newer report the number;
 * older kernels only list descriptors, which costs about half a microsecond for each.
 */
export function openDescriptors(): number | undefined {
  if (process.platform !== "linux") {
    return undefined;
  }
  const counted = statSync("/proc/self/fd").size;
  return counted > 0 ? counted : readdirSync("/proc/self/fd").length - 1; // without the descriptor that reads the list
}

/** Sockets above which a process must stop accepting: with no descriptor left, uWS spins on its listening socket. */
export function socketLimit(): number {
  return Math.max(16, descriptorLimit() - reservedDescriptors / 2 - adminSocketLimit());
}

/** Maximum of sockets of the admin listener: enough for scrapes and probes, but no share of the clients' sockets. */
export function adminSocketLimit(): number {
  return Math.max(8, Math.min(64, Math.floor(descriptorLimit() / 8)));
}

/** Connections that fit into the descriptor limit, with room to refuse more. */
export function defaultMaxConnections(): number {
  return Math.min(1_000_000, Math.max(16, descriptorLimit() - 2 * reservedDescriptors));
}

/** Idle connections with Node's TLS that fit into a quarter of the memory limit: each uses about 56 KiB. */
export function tlsConnectionsInMemory(limit: number = memoryLimit()): number {
  return Math.floor(limit / 4 / (64 * 1024));
}

/** The memory that this process may use, in bytes: the limit of its cgroup, or the machine's memory. */
export function memoryLimit(): number {
  return hasMemoryLimit() ? process.constrainedMemory() : totalmem();
}

/** Whether a cgroup limits the memory of this process and kills it at the limit. */
export function hasMemoryLimit(): boolean {
  // constrainedMemory is 0 or a huge number without a cgroup limit.
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem();
}

/** A quarter of the memory limit, at least 16 MiB; in bytes. */
export function defaultMaxBuffered(): number {
  return Math.max(16, Math.floor(memoryLimit() / 4 / miB)) * miB;
}

/**
 * The default of the largest message, in bytes: the power of two that fits 256 times into the memory limit, from 64 KiB
 * to 16 MiB. uWS buffers unfinished messages without reporting them, so a smaller machine accepts smaller messages.
 */
export function defaultMaxPayload(limit: number = memoryLimit()): number {
  return Math.min(16 * miB, Math.max(miB / 16, 2 ** Math.floor(Math.log2(limit / 256))));
}
