// Runs a server with 256 MiB: in a cgroup if possible, else its resident memory is compared with that limit.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { makeCertificates } from "../support/certificates.ts";
import { cliPath } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait.ts";

export const boxBytes = 256 * 1024 * 1024;

export interface BoxOptions {
  readonly args?: readonly string[];
  /** Shell commands to run before the server. */
  readonly before?: string;
  /** wss:// and https:// instead of ws:// and http://. */
  readonly isTls?: boolean;
  /** Its log output: none, an unread pipe, or a full disk. */
  readonly log?: "nowhere" | "unread pipe" | "full disk";
}

export interface Boxed {
  readonly port: number;
  readonly adminPort: number;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Whether it runs and echoes to another client. */
  isAlive(): Promise<boolean>;
  /** Longest time that the neighbour has waited for an echo, in milliseconds; infinite once its connection has ended. */
  worstEchoMs(): number;
  peakBytes(): number;
  residentBytes(): number;
  stop(): Promise<number | NodeJS.Signals>;
}

/** Creates a cgroup with the limit; returns its folder, or undefined if that fails. */
function makeCgroup(name: string): string | undefined {
  const [root, limit] = existsSync("/sys/fs/cgroup/cgroup.controllers")
    ? (["/sys/fs/cgroup", "memory.max"] as const)
    : (["/sys/fs/cgroup/memory", "memory.limit_in_bytes"] as const);
  const folder = `${root}/${name}`;
  try {
    mkdirSync(folder);
    writeFileSync(`${folder}/${limit}`, String(boxBytes));
    return folder;
  } catch {
    return undefined;
  }
}

let boxes = 0;

/** Starts the built command in a box. */
export async function startBoxed(options: BoxOptions = {}): Promise<Boxed> {
  const { args = [], before = "true", isTls = false, log = "nowhere" } = options;
  const cleanups: (() => void)[] = [];
  const files = isTls ? await makeCertificates({ after: (action) => cleanups.push(action) }) : undefined;
  const cgroup = makeCgroup(`uws-echo-attack-${process.pid}-${++boxes}`);
  const [port, adminPort] = [await freePort(), await freePort()];
  const enter = cgroup === undefined ? "true" : `echo $$ > ${cgroup}/cgroup.procs`;
  const child = spawn(
    "sh",
    [
      "-c",
      `${enter} && ${before} && exec "$@"${log === "full disk" ? " > /dev/full" : ""}`,
      "sh",
      process.execPath,
      cliPath,
      ...["--host", "127.0.0.1", "--port", String(port), "--log-level", "warn"],
      ...["--admin-host", "127.0.0.1", "--admin-port", String(adminPort)],
      ...(files === undefined ? [] : ["--tls-cert", files.cert, "--tls-key", files.key]),
      ...args,
    ],
    { stdio: ["ignore", log === "unread pipe" ? "pipe" : "ignore", "inherit"] },
  );
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  await waitUntil(() => answers(`http://127.0.0.1:${adminPort}/readyz`), "the server to answer", 60_000);
  const url = `${isTls ? "wss" : "ws"}://127.0.0.1:${port}/echo`;
  const neighbour = await watchEchoes(url);
  const pid = child.pid ?? 0;
  const status = (field: string): number => {
    const text = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  };
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, status("VmHWM"));
  }, 50).unref();
  return {
    port,
    adminPort,
    pid,
    child,
    isAlive: async () => child.exitCode === null && child.signalCode === null && (await echoes(url)),
    worstEchoMs: neighbour.worstMs,
    peakBytes: () => Math.max(peak, status("VmHWM")),
    residentBytes: () => status("VmRSS"),
    async stop() {
      neighbour.stop();
      clearInterval(timer);
      child.kill("SIGTERM");
      const late = sleep(30_000, undefined, { ref: false }).then(() => child.kill("SIGKILL"));
      const code = await Promise.race([exited, late.then(() => exited)]);
      if (cgroup !== undefined) {
        await waitUntil(() => removed(cgroup), "the cgroup to be empty");
      }
      for (const clean of cleanups) {
        clean();
      }
      return code;
    },
  };
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}

const clientOptions = { perMessageDeflate: false, rejectUnauthorized: false };

async function echoes(url: string): Promise<boolean> {
  const ws = new WebSocket(url, {
    ...clientOptions,
    handshakeTimeout: 10_000,
  });
  const answered = new Promise<boolean>((resolve) => {
    ws.on("error", () => resolve(false));
    ws.on("open", () => ws.send("anybody there?"));
    ws.on("message", () => resolve(true));
    setTimeout(() => resolve(false), 10_000).unref();
  });
  const isEchoed = await answered;
  ws.terminate();
  return isEchoed;
}

/** A well-behaved client that sends a message every 50 ms, one at a time. */
async function watchEchoes(url: string): Promise<{ worstMs: () => number; stop: () => void }> {
  const ws = new WebSocket(url, clientOptions);
  await once(ws, "open");
  let sentAt = 0;
  let worst = 0;
  const timer = setInterval(() => {
    if (sentAt === 0 && ws.readyState === ws.OPEN) {
      sentAt = performance.now();
      ws.send("x");
    }
  }, 50);
  ws.on("message", () => {
    worst = Math.max(worst, performance.now() - sentAt);
    sentAt = 0;
  });
  ws.on("close", () => {
    worst = Number.POSITIVE_INFINITY;
  });
  ws.on("error", () => undefined);
  return {
    worstMs: () => Math.max(worst, sentAt === 0 ? 0 : performance.now() - sentAt),
    stop() {
      clearInterval(timer);
      ws.terminate();
    },
  };
}
