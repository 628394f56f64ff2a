// Lists and ends process groups, and what has left them. A group outlives its leader.

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf, listProcesses, readEnvironment, readProcess } from "./proc.ts";

/** Time for a group to end before it is killed, and for the kernel to kill it. */
const stopTimeoutMs = 5000;
const killTimeoutMs = 5000;
const pollIntervalMs = 10;

interface Adopted {
  readonly guard: ChildProcess;
  readonly mark: string | undefined;
}

/** Groups that this process has started. They are killed when it exits. */
const started = new Map<number, Adopted>();

/**
 * Registers a group, so that it ends with this process at the latest, even if this one is killed.
 * @param mark a unique text in the environment of the group, by which processes that have left it are found
 */
export function adoptGroup(group: number, mark?: string): void {
  if (started.size === 0) {
    process.on("exit", killStarted);
  }
  started.set(group, { guard: startGuard(group, mark), mark });
}

/** Kills the group $1, and processes with $2 in their environment. They may fork meanwhile, so it searches again. */
const guardScript = `read -r _
kill -s KILL -- "-$1"
[ -n "$2" ] || exit 0
for _ in 1 2 3; do
  for file in $(grep -ls -- "$2" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}"
  done
done`;

/** A shell that ends the group when its standard input ends, as it does when this process is gone. */
function startGuard(group: number, mark = ""): ChildProcess {
  const guard = spawn("/bin/sh", ["-c", guardScript, "guard", String(group), mark], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.on("error", () => undefined); // Without a guard, only a kill of this process leaves the group behind.
  guard.stdin.on("error", () => undefined);
  guard.unref();
  (guard.stdin as Socket).unref();
  return guard;
}

/** The guards notice the exit and end what has left the groups. */
function killStarted(): void {
  for (const group of started.keys()) {
    signalGroup(group, "SIGKILL");
  }
}

/** Ends every process of a group, and those that have left it: SIGTERM, then SIGKILL. */
export async function endGroup(group: number): Promise<void> {
  const outside = outsidersOf(group);
  signalAll(group, outside, "SIGTERM");
  if (!(await untilGone(group, outside, stopTimeoutMs))) {
    signalAll(group, outside, "SIGKILL");
    await untilGone(group, outside, killTimeoutMs);
  }
  started.get(group)?.guard.kill("SIGKILL");
  started.delete(group);
  if (started.size === 0) {
    process.off("exit", killStarted);
  }
}

/** Whether a process of the group runs; zombies do not count. */
export function isGroupAlive(group: number): boolean {
  return signalGroup(group, 0) && (readProcess(process.pid) === undefined || membersOf(group).length > 0);
}

/** The running processes of a group. */
export function membersOf(group: number): number[] {
  return listProcesses().flatMap((entry) => (entry.group === group && !entry.isZombie ? [entry.pid] : []));
}

/** Descendants in other groups, and processes with the mark, whose parents may have ended. */
function outsidersOf(group: number): number[] {
  const mark = started.get(group)?.mark;
  const marked =
    mark === undefined
      ? []
      : listProcesses().flatMap(({ pid }) => (readEnvironment(pid).includes(mark) ? [pid] : []));
  const all = new Set([...membersOf(group).flatMap(descendantsOf), ...marked]);
  return [...all].filter((pid) => readProcess(pid)?.group !== group);
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
    // EPERM: the group exists, but none of its processes belongs to this user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
