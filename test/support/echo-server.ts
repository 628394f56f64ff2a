// Starts echo servers for tests: in this process, or as the real command in another.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ConfigInput, type EchoServer, startEchoServer } from "../../src/index.ts";
import { parseMetricsText, samplesByName } from "../../src/lib/prometheus-text.ts";
import { inTime } from "./wait.ts";

/** The part of a `node:test` context that cleanup needs. */
export interface Cleanup {
  after(action: () => unknown): void;
}

/** Starts a server in this process and stops it after the test. */
export async function startServer(t: Cleanup, options: ConfigInput = {}): Promise<EchoServer> {
  const server = await startEchoServer({ drainTimeout: 1000, ...options });
  t.after(() => server.stop());
  return server;
}

export const cliPath = fileURLToPath(new URL("../../dist/src/cli.js", import.meta.url));

/** One line of the server's JSON log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** The command uws-echo, running. */
export interface Spawned {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly log: readonly LogLine[];
  readonly stderr: () => string;
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Base of the main listener, such as `127.0.0.1:34567`. */
  readonly authority: string;
  readonly urls: readonly string[];
  /** Waits for a log line. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Shell commands to run before, such as `ulimit -n 200`. */
  readonly before?: string;
}

/** Starts the command and returns at once. */
export function spawnCli(
  t: Cleanup,
  args: readonly string[],
  options: SpawnOptions = {},
): Omit<Spawned, "authority" | "urls"> {
  const env = { ...process.env, ...options.env };
  const child =
    options.before === undefined
      ? spawn(process.execPath, [cliPath, ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
      : spawn("sh", ["-c", `${options.before}; exec "$@"`, "sh", process.execPath, cliPath, ...args], {
          env,
          stdio: ["ignore", "pipe", "pipe"],
        });
  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) {
      log.push(JSON.parse(line) as LogLine);
    }
    for (const check of waiting) {
      check();
    }
  });
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
    }
    await exited;
  });
  return {
    child,
    pid: child.pid ?? 0,
    log,
    stderr: () => stderr,
    exited,
    logged: (matches) =>
      inTime(
        new Promise<LogLine>((resolve, reject) => {
          const check = (): void => {
            const found = log.find(matches);
            if (found === undefined) {
              return;
            }
            waiting.delete(check);
            resolve(found);
          };
          waiting.add(check);
          void exited.then((code) =>
            reject(new Error(`the server ended with ${code} before it logged that\n${stderr}`)),
          );
          check();
        }),
        "a log line",
      ),
  };
}

/** Starts the command on a free port of 127.0.0.1 and waits until it serves. */
export async function spawnServer(
  t: Cleanup,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<Spawned> {
  const spawned = spawnCli(t, ["--port", "0", "--host", "127.0.0.1", ...args], options);
  await spawned.logged(({ msg }) => /^serving .*\/readyz$/.test(msg));
  const urls = spawned.log.flatMap(({ msg }) => /^serving (.*)$/.exec(msg)?.[1] ?? []);
  return { ...spawned, urls, authority: new URL(urls[0] ?? "").host };
}

/** The samples of a metrics page by name and labels. */
export async function scrape(url: string): Promise<Record<string, number>> {
  const response = await fetch(url);
  return samplesByName(parseMetricsText(await response.text()));
}
