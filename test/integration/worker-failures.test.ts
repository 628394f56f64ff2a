// Workers that die, hang or cannot be started.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectClient } from "../support/client.ts";
import { scrape, spawnCli, spawnServer } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { toolTest } from "../support/tools.ts";
import { inTime, waitUntil } from "../support/wait.ts";
import { echoSome, received, workerPids } from "../support/workers.ts";

const adminArgs = ["--admin-port", "0", "--admin-host", "127.0.0.1"];

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8");
}

test("a worker that hangs makes /readyz fail, and is killed, replaced and counted", async (t) => {
  const server = await spawnServer(t, [...adminArgs, "--workers", "2", "--worker-timeout", "4s"]);
  const admin = new URL(server.urls.find((url) => url.endsWith("/metrics")) ?? "").origin;
  const [first = 0] = workerPids(server);
  process.kill(first, "SIGSTOP");
  await server.logged(({ msg }) => msg === "worker does not respond");
  assert.equal((await fetch(`${admin}/readyz`)).status, 503);
  assert.equal((await scrape(`${admin}/metrics`))["echo_workers_ready"], 1);
  await server.logged(({ msg }) => msg === "worker does not respond: killing it");
  await waitUntil(() => workerPids(server).length === 3, "the worker to be replaced", 30_000);
  assert.equal((await fetch(`${admin}/readyz`)).status, 200);
  const samples = await scrape(`${admin}/metrics`);
  assert.equal(samples["echo_worker_hangs_total"], 1);
  assert.equal(samples["echo_worker_restarts_total"], 1);
  assert.equal(samples["echo_workers_ready"], 2);
});

test("a worker whose start hangs is killed and replaced", async (t) => {
  const server = spawnCli(t, ["--port", "0", "--workers", "2", "--worker-timeout", "1s"]);
  let stopped = 0;
  await waitUntil(() => {
    // Only once it runs its program: until then fork() has not returned.
    stopped = childrenOf(server.pid).find((pid) => commandOf(pid).includes("worker.js")) ?? 0;
    return stopped !== 0;
  }, "a worker to be forked");
  process.kill(stopped, "SIGSTOP");
  await server.logged(({ msg, pid }) => msg === "worker does not start: killing it" && pid === stopped);
  await server.logged(({ msg }) => /^serving .*\/readyz$/.test(msg));
});

test("does not kill workers for time in which the supervisor itself was suspended", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--worker-timeout", "4s"]);
  process.kill(server.pid, "SIGSTOP");
  await sleep(6000); // longer than the timeout, which is longer than a busy machine delays a worker
  process.kill(server.pid, "SIGCONT");
  await echoSome(t, server, 4, 1);
  await waitUntil(
    async () => (await scrape(`http://${server.authority}/metrics`))[received] === 4,
    "reports to go on",
  );
  assert.equal(workerPids(server).length, 2);
});

test("a worker that keeps dying does not end the workers that serve", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  const [healthy = 0, victim = 0] = workerPids(server);
  const killed = new Set([healthy]);
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  const ended = new Set<number>();
  clients.forEach(({ closed }, i) => void closed.then(() => ended.add(i)));
  assert.ok(victim > 0);
  await waitUntil(
    () => {
      for (const pid of workerPids(server).filter((each) => !killed.has(each))) {
        killed.add(pid);
        process.kill(pid, "SIGKILL");
      }
      return killed.size === 8;
    },
    "the worker to die seven times",
    60_000,
  );
  assert.equal(server.child.exitCode, null);
  assert.ok(ended.size < clients.length, "the clients of the other worker stay");
});

toolTest("prlimit", "tries again to fork a worker, while the others serve", async (t) => {
  const server = await spawnServer(t, [...adminArgs, "--workers", "2"]);
  const limit = (count: string): void => {
    execFileSync("prlimit", ["--pid", String(server.pid), `--nofile=${count}:`]);
  };
  const [first = 0] = workerPids(server);
  limit("3");
  process.kill(first, "SIGKILL");
  await server.logged(
    ({ msg, err }) => msg === "worker died" && JSON.stringify(err ?? "").includes("EMFILE"),
  );
  await echoSome(t, server, 2, 1);
  limit("1024");
  await waitUntil(() => workerPids(server).length === 3, "the worker to be replaced", 60_000);
  assert.equal(server.child.exitCode, null);
});

test("opened less closed is open, even after a worker is killed", async (t) => {
  const server = await spawnServer(t, [...adminArgs, "--workers", "2"]);
  const metrics = server.urls.find((url) => url.endsWith("/metrics")) ?? "";
  await Promise.all(Array.from({ length: 20 }, () => connectClient(t, `ws://${server.authority}/echo`)));
  await waitUntil(async () => (await scrape(metrics))["echo_connections"] === 20, "all to be reported");
  process.kill(workerPids(server)[0] ?? 0, "SIGKILL");
  await waitUntil(() => workerPids(server).length === 3, "the worker to be replaced", 30_000);
  const samples = await scrape(metrics);
  const closed = Object.entries(samples)
    .filter(([name]) => name.startsWith("echo_connections_closed_total"))
    .reduce((sum, [, value]) => sum + value, 0);
  assert.equal((samples["echo_connections_opened_total"] ?? 0) - closed, samples["echo_connections"]);
});

test("a late response of the supervisor does not answer another request", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  const ask = (accept: string): Promise<Response> =>
    fetch(`http://${server.authority}/metrics`, { headers: { accept } });
  process.kill(server.pid, "SIGSTOP");
  try {
    // Of eight requests, several reach the same worker.
    const late = await Promise.all(Array.from({ length: 8 }, () => ask("application/openmetrics-text")));
    assert.deepEqual([...new Set(late.map(({ status }) => status))], [503]);
    const next = Array.from({ length: 8 }, () => ask("text/plain"));
    await sleep(200);
    process.kill(server.pid, "SIGCONT");
    for (const response of await Promise.all(next)) {
      assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    }
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
});

test("a second signal ends it at once, even if a worker hangs", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--drain-timeout", "1h", "--worker-timeout", "0"]);
  process.kill(workerPids(server)[0] ?? 0, "SIGSTOP");
  server.child.kill("SIGTERM");
  await server.logged(({ msg }) => msg === "stopping");
  server.child.kill("SIGTERM");
  assert.equal(await inTime(server.exited, "the server to end", 20_000), 0);
});

test("of two servers that start on one port at the same time, one serves", async (t) => {
  const port = await freePort();
  const start = () => spawnCli(t, ["--port", String(port), "--host", "127.0.0.1", "--workers", "2"]);
  const servers = [start(), start()];
  const outcomes = await Promise.all(
    servers.map(({ logged }) =>
      logged(({ msg }) => /^serving .*\/readyz$/.test(msg)).then(
        () => "serves",
        (error: Error) => error.message,
      ),
    ),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "serves").length, 1, outcomes.join("\n"));
  assert.match(outcomes.find((outcome) => outcome !== "serves") ?? "", /is in use by another program/);
});
