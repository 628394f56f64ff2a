// Signals, including those during the start.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { connectClient } from "../support/client.ts";
import { cliPath, spawnCli, spawnServer } from "../support/echo-server.ts";
import { toolTest } from "../support/tools.ts";
import { inTime, waitUntil } from "../support/wait.ts";
import { workerPids } from "../support/workers.ts";

const hasProc = existsSync("/proc/self/maps");

test("SIGQUIT drains like SIGTERM", async (t) => {
  const server = await spawnServer(t);
  const client = await connectClient(t, `ws://${server.authority}/echo`);
  server.child.kill("SIGQUIT");
  assert.equal((await client.closed).code, 1001);
  assert.equal(await server.exited, 0);
});

for (const workers of ["1", "2"]) {
  test(`SIGHUP, SIGUSR1 and SIGUSR2 end nothing and open no inspector: ${workers} worker(s)`, async (t) => {
    const server = await spawnServer(t, ["--workers", workers]);
    const client = await connectClient(t, `ws://${server.authority}/echo`);
    for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) {
      server.child.kill(signal);
      await server.logged((line) => line.msg === "signal ignored" && line["signal"] === signal);
      for (const pid of workerPids(server)) {
        process.kill(pid, signal);
      }
    }
    client.ws.send("still here");
    assert.equal((await client.next()).data.toString(), "still here");
    assert.doesNotMatch(server.stderr(), /Debugger/);
    server.child.kill("SIGTERM");
    assert.equal(await server.exited, 0);
  });
}

/** Whether a process has loaded uWebSockets.js, which it does before it listens. */
function isStarting(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, "utf8").includes("uws_linux");
}

test("SIGTERM during the start ends it with 0", { skip: !hasProc }, async (t) => {
  const server = spawnCli(t, ["--port", "0"]);
  await waitUntil(() => isStarting(server.pid), "uWebSockets.js to be loaded");
  server.child.kill("SIGTERM");
  assert.equal(await inTime(server.exited, "the end"), 0);
});

const namespaces = { programs: ["unshare"], root: true } as const;

toolTest(namespaces, "SIGTERM during the start ends process 1 of a container", async (t) => {
  const outer = spawn(
    "unshare",
    ["--pid", "--fork", "--kill-child", process.execPath, cliPath, "--port", "0"],
    {
      stdio: "ignore",
    },
  );
  const exited = once(outer, "exit");
  t.after(async () => {
    outer.kill("SIGKILL");
    await exited;
  });
  let first = 0;
  await waitUntil(() => {
    first = Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim());
    return first > 0 && isStarting(first);
  }, "uWebSockets.js to be loaded");
  process.kill(first, "SIGTERM");
  assert.deepEqual(await inTime(exited, "the end"), [0, null]);
});

test("explains a limit of 64 open files", async (t) => {
  const server = spawnCli(t, ["--port", "0"], { before: "ulimit -n 64" });
  assert.equal(await inTime(server.exited, "the end"), 1);
  assert.match(
    server.stderr(),
    /^uws-echo: the limit on open files is 64, and at least 128 are needed\. .*\n$/,
  );
});
