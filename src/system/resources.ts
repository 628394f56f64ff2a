// What this machine allows a process: descriptors and memory. It reads, and decides only defaults.
import { readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";

const miB = 1024 * 1024;

/** Descriptors kept back for everything that is no client: files, timers, IPC, and answering those that are refused. */
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

/** Descriptors that are open now, or undefined where the system does not tell. */
export function openDescriptors(): number | undefined {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : undefined;
}

/** Sockets above which a process must stop accepting: with no descriptor left, uWS spins on its listening socket. */
export function socketLimit(): number {
  return Math.max(16, descriptorLimit() - reservedDescriptors / 2);
}

/** Connections that fit into the descriptor limit and leave room to answer those that are refused. */
export function defaultMaxConnections(): number {
  return Math.min(1_000_000, Math.max(16, descriptorLimit() - 2 * reservedDescriptors));
}

/** A quarter of the memory that this process may use, cgroup limits included, and at least 16 MiB; in bytes. */
export function defaultMaxBuffered(): number {
  // constrainedMemory is 0 or a huge number where no cgroup limit is set.
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(16, Math.floor(limit / 4 / miB)) * miB;
}
