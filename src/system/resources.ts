// Reads what this machine allows a process, descriptors and memory, and derives defaults from it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";

const miB = 1024 * 1024;

/** Open files without which the command cannot even be loaded and serve a few clients. */
export const leastDescriptors = 128;

/** Descriptors reserved for everything but clients: files, timers, IPC, and answering those that are refused. */
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
 * Descriptors that are open now, or undefined where the system does not tell. Linux 6.2 and newer tell the number
 * itself; older ones only list them, which costs about half a microsecond for each.
 */
export function openDescriptors(): number | undefined {
  if (process.platform !== "linux") {
    return undefined;
  }
  const counted = statSync("/proc/self/fd").size;
  return counted > 0 ? counted : readdirSync("/proc/self/fd").length - 1; // Less the one that reads the list.
}

/** Sockets above which a process must stop accepting: with no descriptor left, uWS spins on its listening socket. */
export function socketLimit(): number {
  return Math.max(16, descriptorLimit() - reservedDescriptors / 2 - adminSocketLimit());
}

/** Sockets that the admin listener may have: enough for scrapes and probes, and none of the clients' share. */
export function adminSocketLimit(): number {
  return Math.max(8, Math.min(64, Math.floor(descriptorLimit() / 8)));
}

/** Connections that fit into the descriptor limit and leave room to answer those that are refused. */
export function defaultMaxConnections(): number {
  return Math.min(1_000_000, Math.max(16, descriptorLimit() - 2 * reservedDescriptors));
}

/** Idle connections whose TLS Node ends that fit into a quarter of the memory limit: each takes some 56 KiB. */
export function tlsConnectionsInMemory(limit: number = memoryLimit()): number {
  return Math.floor(limit / 4 / (64 * 1024));
}

/** The memory that this process may use, in bytes: the limit of its cgroup, or all that the machine has. */
export function memoryLimit(): number {
  return hasMemoryLimit() ? process.constrainedMemory() : totalmem();
}

/** Whether a cgroup limits the memory of this process, so that it is killed for taking more. */
export function hasMemoryLimit(): boolean {
  // constrainedMemory is 0 or a huge number where no cgroup limit is set.
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem();
}

/** A quarter of the memory limit, and at least 16 MiB; in bytes. */
export function defaultMaxBuffered(): number {
  return Math.max(16, Math.floor(memoryLimit() / 4 / miB)) * miB;
}

/**
 * The largest message by default, in bytes: the power of two that fits 256 times into the memory limit, from 64 KiB to
 * 16 MiB. uWS holds unfinished messages that nothing counts, so a smaller machine takes smaller ones.
 */
export function defaultMaxPayload(limit: number = memoryLimit()): number {
  return Math.min(16 * miB, Math.max(miB / 16, 2 ** Math.floor(Math.log2(limit / 256))));
}
