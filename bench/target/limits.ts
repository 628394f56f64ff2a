// Checks before the start whether this machine's limits allow the connections, and says how to raise them.

import { readText } from "./proc.ts";

/** Descriptors that the process needs for itself. */
const spareDescriptors = 64;
/** Local ports in use by other programs. */
const sparePorts = 200;
/** Memory of one connection: 8 KiB in this process, and some 4 KiB in the kernel for each end that is here. */
const ownBytes = 8 * 1024;
const kernelBytesPerEnd = 4 * 1024;

export interface Demand {
  readonly connections: number;
  /** Local addresses to connect from; 0 for what the system chooses. */
  readonly sources: number;
  /** The target is on this machine, where connections are spread over 127.0.0.0/8. */
  readonly isLocal: boolean;
}

/** A sentence for each limit that so many connections would exceed. */
export function limitProblems({ connections, sources, isLocal }: Demand): string[] {
  const descriptors = descriptorLimit();
  const ports = Math.max(1, sources) * Math.max(0, portRange() - sparePorts);
  const bytes = connections * (ownBytes + kernelBytesPerEnd * (isLocal ? 2 : 1));
  const available = availableBytes();
  return [
    connections + spareDescriptors > descriptors &&
      `${connections} connections need more than the ${descriptors} file descriptors allowed: raise ulimit -n`,
    !isLocal &&
      connections > ports &&
      `${connections} connections need more than the ${ports} local ports for one target: ` +
        `sysctl -w net.ipv4.ip_local_port_range="1024 65535", or more addresses with --source`,
    bytes > available &&
      `${connections} connections take some ${mebibytes(bytes)} MiB of memory here, and ${mebibytes(available)} MiB are available`,
  ].filter((problem) => problem !== false);
}

/** Maximum of descriptors of this process; Infinity if unknown. */
export function descriptorLimit(): number {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readText("/proc/self/limits") ?? "") ?? [];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

function portRange(): number {
  const [first, last] = (readText("/proc/sys/net/ipv4/ip_local_port_range") ?? "")
    .trim()
    .split(/\s+/)
    .map(Number);
  return first === undefined || last === undefined ? Number.POSITIVE_INFINITY : last - first + 1;
}

function availableBytes(): number {
  const [, kibibytes] = /^MemAvailable:\s+(\d+) kB/m.exec(readText("/proc/meminfo") ?? "") ?? [];
  return kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
