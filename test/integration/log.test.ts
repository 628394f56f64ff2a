// The log of the command when nobody reads it, or the disk is full.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Cleanup, cliPath, scrape } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait.ts";

interface Started {
  readonly authority: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Starts the command with its standard output on a descriptor, and waits until it answers. */
async function startOn(t: Cleanup, stdout: number, args: readonly string[]): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [cliPath, "--host", "127.0.0.1", "--port", String(port), ...args], {
    stdio: ["ignore", stdout, "inherit"],
  });
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const authority = `127.0.0.1:${port}`;
  await waitUntil(() => answers(authority), "the server to answer", 30_000);
  return { authority, child, exited };
}

async function answers(authority: string): Promise<boolean> {
  try {
    return (await fetch(`http://${authority}/livez`)).status === 200;
  } catch {
    return false;
  }
}

/** Sends requests that each cost a line of the log at level debug. */
async function causeLines(authority: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      get(`http://${authority}/echo`, { agent }, (response) => response.resume().on("end", resolve)).on(
        "error",
        reject,
      );
    });
  for (let i = 0; i < count; i += 100) {
    await Promise.all(Array.from({ length: 100 }, ask));
  }
  agent.destroy();
}

/** A pipe that nobody reads. */
function unreadPipe(t: Cleanup): number {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-log-"));
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR);
  t.after(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return fd;
}

for (const workers of ["1", "2"]) {
  test(`a log that nobody reads stops nothing, its lines are counted, and SIGTERM ends it: ${workers} worker(s)`, async (t) => {
    const server = await startOn(t, unreadPipe(t), ["--log-level", "debug", "--workers", workers]);
    await causeLines(server.authority, 10_000);
    await waitUntil(
      async () =>
        ((await scrape(`http://${server.authority}/metrics`))["echo_log_lines_dropped_total"] ?? 0) > 0,
      "dropped lines to be counted",
    );
    server.child.kill("SIGTERM");
    assert.equal(await server.exited, 0);
  });
}

test("a full disk under the log stops nothing", { skip: !existsSync("/dev/full") }, async (t) => {
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  const server = await startOn(t, full, ["--log-level", "debug"]);
  await causeLines(server.authority, 6000);
  const samples = await scrape(`http://${server.authority}/metrics`);
  assert.ok((samples["echo_log_lines_dropped_total"] ?? 0) > 0);
  server.child.kill("SIGTERM");
  assert.equal(await server.exited, 0);
});
