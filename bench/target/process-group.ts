// Lists and ends process groups. A group outlives the process that it is named after.

import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf, listProcesses, readProcess } from "./proc.ts";

/** How long a group may take to end by itself before it is killed, and how long the kernel may take for that. */
const stopTimeoutMs = 5000;
const killTimeoutMs = 5000;
const pollIntervalMs = 10;

/** Groups that we have started and not ended: when this process exits, they go with it. */
const started = new Set<number>();

/** Remembers a group, so that it ends with this process at the latest. */
export function adoptGroup(group: number): void {
  if (started.size === 0) {
    process.on("exit", killStarted);
  }
  started.add(group);
}

function killStarted(): void {
  for (const group of started) {
    signalGroup(group, "SIGKILL");
  }
}

/** Ends every process of a group, and those that they have started in other groups; gently first. */
export async function endGroup(group: number): Promise<void> {
  const outside = membersOf(group)
    .flatMap(descendantsOf)
    .filter((pid) => readProcess(pid)?.group !== group);
  signalAll(group, outside, "SIGTERM");
  if (!(await untilGone(group, outside, stopTimeoutMs))) {
    signalAll(group, outside, "SIGKILL");
    await untilGone(group, outside, killTimeoutMs);
  }
  started.delete(group);
  if (started.size === 0) {
    process.off("exit", killStarted);
  }
}

/** Whether a process of the group runs; one that has ended and was not waited for does not. */
export function isGroupAlive(group: number): boolean {
  return signalGroup(group, 0) && (readProcess(process.pid) === undefined || membersOf(group).length > 0);
}

/** The processes of a group that run. */
export function membersOf(group: number): number[] {
  return listProcesses().flatMap((entry) => (entry.group === group && !entry.isZombie ? [entry.pid] : []));
}

async function untilGone(group: number, others: readonly number[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isGroupAlive(group) || others.some((pid) => readProcess(pid)?.isZombie === false)) {
    if (performance.now() > deadline) {
      return false;
    }
    await sleep(pollIntervalMs);
  }
  return true;
}

function signalAll(group: number, others: readonly number[], signal: NodeJS.Signals): void {
  signalGroup(group, signal);
  for (const pid of others) {
    signalOne(pid, signal);
  }
}

/** Signals all of a group. @returns whether there was anything to signal */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  return signalOne(-group, signal);
}

function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // EPERM: there are processes, none of which is ours any more.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
