// Reads the load of the whole machine, and the time spent waiting for a CPU.

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";

/** Clock ticks per second in /proc/stat, as in /proc/PID/stat. */
const ticksPerSecond = 100;

/** The machine at one moment; sums since it started. Unknown is null. */
export interface MachineMark {
  readonly loadAverage: number;
  readonly cores: number;
  readonly busySeconds: number | null;
  readonly stealSeconds: number | null;
  /** Time in which something was ready to run and had no CPU (PSI). */
  readonly pressureSeconds: number | null;
}

export function markMachine(): MachineMark {
  const [, line = ""] = /^cpu\s+(.*)$/m.exec(read("/proc/stat")) ?? [];
  // user nice system idle iowait irq softirq steal: guest time is in user already.
  const ticks = line.split(/\s+/).map(Number);
  const isKnown = ticks.length >= 8 && ticks.some((value) => value > 0);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  const [, stalledUs] = /^some .*total=(\d+)/m.exec(read("/proc/pressure/cpu")) ?? [];
  return {
    loadAverage: loadavg()[0] ?? 0,
    cores: cpus().length || availableParallelism(),
    busySeconds: isKnown ? (user + nice + system + irq + softirq) / ticksPerSecond : null,
    stealSeconds: isKnown ? steal / ticksPerSecond : null,
    pressureSeconds: stalledUs === undefined ? null : Number(stalledUs) / 1e6,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // Another system, or a kernel without this file.
  }
}
