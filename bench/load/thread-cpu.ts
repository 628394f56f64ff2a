// Reads the CPU time of a thread.

import { readFileSync } from "node:fs";

/** CPU time of the calling thread: its time on a CPU in nanoseconds is the first field (Linux, schedstat). */
export function threadCpuNs(): number | undefined {
  try {
    const cpuNs = Number.parseInt(readFileSync("/proc/thread-self/schedstat", "latin1"), 10);
    return cpuNs > 0 ? cpuNs : undefined;
  } catch {
    return undefined; // not Linux, or a kernel without scheduler statistics
  }
}
