// Reaches the target: checks its address, or starts it from a command.

import { type ChildProcess, spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { connect, createServer, isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UwsEchoError } from "../../src/lib/errors.ts";

/** A target that cannot be used; the message says why. */
export class TargetError extends UwsEchoError<"ERR_TARGET"> {
  override readonly name = "TargetError";
  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    super("ERR_TARGET", problems, options);
  }
}

/** Where a target is, seen from here. */
export interface Locality {
  /** On this machine, reached over loopback. */
  readonly local: boolean;
  /** Reached over 127.0.0.0/8. */
  readonly overIpv4Loopback: boolean;
}

/** Finds out whether the URL's host is this machine. A name that cannot be resolved is not local. */
export async function locate(url: string): Promise<Locality> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const names = addresses.map(({ address }) => address);
  const isV4Loopback = (address: string): boolean => isIPv4(address) && address.startsWith("127.");
  return {
    local: names.length > 0 && names.every((address) => isV4Loopback(address) || address === "::1"),
    overIpv4Loopback: names.length > 0 && names.every(isV4Loopback),
  };
}

/** The Prometheus page that a target most likely has. */
export function defaultMetricsUrl(url: string): string {
  const metricsUrl = new URL(url);
  metricsUrl.protocol = /^(wss|https):$/.test(metricsUrl.protocol) ? "https:" : "http:";
  metricsUrl.pathname = "/metrics";
  metricsUrl.search = "";
  return metricsUrl.href;
}

/** A target that we started. */
export interface StartedTarget {
  readonly url: string;
  readonly pid: number;
  /** Ends it, gently first. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Path of its WebSocket endpoint. */
  readonly path: string;
  readonly timeoutMs: number;
}

/** How long a target may take to end by itself before it is killed. */
const stopTimeoutMs = 5000;
const outputLimit = 2000;

/**
 * Starts a target from a shell command and waits until it accepts connections on loopback.
 * @param command with `{port}` where the port goes
 * @throws TargetError with the target's last words when it ends or does not listen in time
 */
export async function startTarget(command: string, options: StartOptions): Promise<StartedTarget> {
  if (!command.includes("{port}")) {
    throw new TargetError(`the command "${command}" has no {port} to put a port into`);
  }
  const port = await freePort();
  // exec replaces the shell, so that signals and CPU figures meet the program itself.
  const child = spawn("/bin/sh", ["-c", `exec ${command.replaceAll("{port}", String(port))}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = keepOutput(child);
  try {
    await untilListening(child, port, options.timeoutMs, command);
  } catch (error) {
    await stop(child);
    const said = output().trim();
    throw new TargetError(`${(error as Error).message}${said === "" ? "" : `; it said: ${said}`}`, {
      cause: error,
    });
  }
  return {
    url: `ws://127.0.0.1:${port}${options.path}`,
    pid: child.pid ?? 0,
    stop: () => stop(child),
  };
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

async function untilListening(
  child: ChildProcess,
  port: number,
  timeoutMs: number,
  command: string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new TargetError(
        `the target "${command}" ended at once (${child.signalCode ?? `exit code ${child.exitCode}`})`,
      );
    }
    if (await accepts(port)) {
      return;
    }
    await sleep(20);
  }
  throw new TargetError(`the target "${command}" does not listen on port ${port} after ${timeoutMs} ms`);
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await gone;
  clearTimeout(timer);
}
