import assert from "node:assert/strict";
import { test } from "node:test";
import { connectClient } from "../support/client.ts";
import { scrape, spawnServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";
import { echoSome, received, workerPids } from "../support/workers.ts";

test("workers share the port, and the metrics are those of all of them", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  await echoSome(t, server, 20, 10);
  const metrics = `http://${server.authority}/metrics`;
  await waitUntil(async () => (await scrape(metrics))[received] === 200, "all messages to be reported");
  const samples = await scrape(metrics);
  for (const worker of [1, 2]) {
    assert.ok(`echo_worker_event_loop_utilization{worker="${worker}"}` in samples);
    assert.ok((samples[`echo_worker_cpu_seconds_total{worker="${worker}"}`] ?? 0) > 0);
  }
  const workers = new Set<number>();
  await waitUntil(async () => {
    const found = await fetch(`http://${server.authority}/inspect`, { headers: { connection: "close" } });
    workers.add(((await found.json()) as { worker: number }).worker);
    return workers.size === 2;
  }, "both workers to answer");
  server.child.kill("SIGTERM");
  assert.equal(await server.exited, 0);
});

test("replaces a worker that dies, and counters never decrease", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const metrics = server.urls.find((url) => url.endsWith("/metrics")) ?? "";
  await echoSome(t, server, 20, 10);
  await waitUntil(async () => (await scrape(metrics))[received] === 200, "all messages to be reported");
  const [first] = workerPids(server);
  process.kill(first ?? 0, "SIGKILL");
  let lowest = Number.POSITIVE_INFINITY;
  await waitUntil(async () => {
    const samples = await scrape(metrics);
    lowest = Math.min(lowest, samples[received] ?? 0);
    return samples["echo_worker_restarts_total"] === 1 && workerPids(server).length === 3;
  }, "the worker to be replaced");
  assert.equal(lowest, 200);
  await echoSome(t, server, 20, 10);
  await waitUntil(
    async () => (await scrape(metrics))[received] === 400,
    "new messages to be added to the old",
  );
});

test("a crash loop ends the server with an error", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  const killed = new Set<number>();
  let code: number | NodeJS.Signals | undefined;
  void server.exited.then((ended) => {
    code = ended;
  });
  await waitUntil(() => {
    for (const pid of workerPids(server)) {
      if (killed.has(pid)) {
        continue;
      }
      killed.add(pid);
      process.kill(pid, "SIGKILL");
    }
    return code !== undefined;
  }, "the server to give up");
  assert.equal(code, 1);
  const last = server.log.find(({ msg }) => msg === "the server failed");
  assert.match(JSON.stringify(last), /died 5 times in a row/);
});

test("a scrape of the admin port is answered by the supervisor while all workers are stopped", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--admin-port", "0", "--admin-host", "127.0.0.1"]);
  const metrics = server.urls.find((url) => url.endsWith("/metrics")) ?? "";
  const pids = workerPids(server);
  for (const pid of pids) {
    process.kill(pid, "SIGSTOP");
  }
  try {
    const samples = await scrape(metrics);
    assert.equal(samples["echo_connections"], 0);
  } finally {
    for (const pid of pids) {
      process.kill(pid, "SIGCONT");
    }
  }
  assert.equal((await fetch(`http://${server.authority}/metrics`)).status, 404);
});

test("limits of the whole server are divided among its workers", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--max-connections", "10"]);
  const samples = await scrape(`http://${server.authority}/metrics`);
  assert.equal(samples["echo_limit_connections"], 10);
});

test("clients of every worker see 1001 at shutdown", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  server.child.kill("SIGINT");
  for (const client of clients) {
    assert.equal((await client.closed).code, 1001);
  }
  assert.equal(await server.exited, 0);
});

test("workers that stop at SIGTERM are not reported as dead", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  server.child.kill("SIGTERM");
  assert.equal(await server.exited, 0);
  assert.equal(server.log.filter(({ msg }) => msg === "worker stopped").length, 2);
  assert.deepEqual(
    server.log.filter(({ level }) => Number(level) > 30),
    [],
  );
});

test("a worker that is killed while it drains is reported as dead", async (t) => {
  const server = await spawnServer(t, ["--workers", "2", "--drain-delay", "60s"]);
  const [first = 0] = workerPids(server);
  server.child.kill("SIGTERM");
  await server.logged(({ msg }) => msg === "stopping");
  process.kill(first, "SIGKILL");
  await server.logged(({ msg, signal }) => msg === "worker died" && signal === "SIGKILL");
});

test("workers end when their supervisor is killed", async (t) => {
  const server = await spawnServer(t, ["--workers", "2"]);
  const pids = workerPids(server);
  server.child.kill("SIGKILL");
  await server.exited;
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") {
        return false;
      }
      throw error;
    }
  };
  await waitUntil(() => !pids.some(isAlive), "the workers to end");
});
