// Reads the memory of another process, for tests that compare it with a limit.
import { readFileSync } from "node:fs";

/** Resident memory of a process in bytes, from /proc. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
