// Starts targets from commands. Each is a process group of its own, so that whatever it starts ends with it.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { adoptGroup, endGroup, isGroupAlive } from "./process-group.ts";
import { TargetError } from "./target.ts";

/** A target that we started. */
export interface StartedTarget {
  readonly url: string;
  /** The process that was started, and the process group of all that it starts. */
  readonly pid: number;
  /** Ends it with everything that it has started, gently first. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Path of its WebSocket endpoint. */
  readonly path: string;
  readonly timeoutMs: number;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** In the environment of targets and of all that they start. */
const markVariable = "UWS_ECHO_BENCH_TARGET";
const outputLimit = 2000;
const pollIntervalMs = 5;

/**
 * Starts a target from a shell command and waits until it accepts connections on loopback.
 * @param command with `{port}` where the port goes
 * @throws TargetError with the target's last words when it ends, does not listen in time, or the signal is aborted
 */
export async function startTarget(command: string, options: StartOptions): Promise<StartedTarget> {
  if (!command.includes("{port}")) {
    throw new TargetError(`the command "${command}" lacks {port}, the place for the port`);
  }
  const port = await freePort();
  const mark = randomUUID();
  // exec replaces the shell, so that signals and CPU figures meet the program itself.
  const child = spawn("/bin/sh", ["-c", `exec ${command.replaceAll("{port}", String(port))}`], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, [markVariable]: mark },
  });
  const { pid } = child;
  if (pid === undefined) {
    throw await failureToSpawn(child, command);
  }
  adoptGroup(pid, mark);
  const output = keepOutput(child);
  const stop = async (): Promise<void> => {
    await endGroup(pid);
    // Whatever has left the group may still hold the pipes, which would keep this process from ending.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  try {
    await untilListening({ child, pid, port, command }, options);
  } catch (error) {
    await stop();
    const said = output().trim();
    throw new TargetError(`${(error as Error).message}${said === "" ? "" : `; it said: ${said}`}`);
  }
  return { url: `ws://127.0.0.1:${port}${options.path}`, pid, stop };
}

function failureToSpawn(child: ChildProcess, command: string): Promise<TargetError> {
  return new Promise((resolve) => {
    child.once("error", ({ message }) =>
      resolve(new TargetError(`the target "${command}" cannot be started: ${message}`)),
    );
  });
}

/** The end of what a child prints. Reading it also keeps the child from blocking on a full pipe. */
function keepOutput(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-outputLimit);
    });
  }
  return () => output;
}

interface Starting {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly command: string;
}

async function untilListening(starting: Starting, { timeoutMs, signal }: StartOptions): Promise<void> {
  const { port, command } = starting;
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (signal?.aborted === true) {
      throw new TargetError(`interrupted while the target "${command}" was starting`);
    }
    const ending = endingOf(starting);
    if (ending !== undefined) {
      throw new TargetError(`the target "${command}" ended at once (${ending})`);
    }
    if (await accepts(port)) {
      return;
    }
    await sleep(pollIntervalMs);
  }
  throw new TargetError(`the target "${command}" does not listen on port ${port} after ${timeoutMs} ms`);
}

/** How the target ended; undefined while it runs. A command may fork and end well: then its group goes on. */
function endingOf({ child, pid }: Starting): string | undefined {
  const { exitCode, signalCode } = child;
  if ((exitCode === null && signalCode === null) || (exitCode === 0 && isGroupAlive(pid))) {
    return undefined;
  }
  return signalCode ?? `exit code ${exitCode}`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
