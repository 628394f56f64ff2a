// A generator of load, scraped while it runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { idleSchema } from "../../../bench/result/idle.ts";
import type { readResult } from "../../../bench/result/store.ts";
import { scrape, startServer } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";
import { dashboardQueries, isOfLoad, selectorsOf } from "../../support/queries.ts";
import { waitUntil } from "../../support/wait.ts";

const prefix = "uws_echo_bench_";

/** Starts a command that serves its metrics, and waits for the address of their page. */
async function startGenerator(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [harnessPath, ...args, "--json", "--metrics-port", "0"]);
  t.after(() => child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const stdout = text(child.stdout);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (said: string) => {
    stderr += said;
  });
  await waitUntil(() => /^Metrics: \S+\n/m.test(stderr), "the address of the page");
  const [, url = ""] = /^Metrics: (\S+)$/m.exec(stderr) ?? [];
  return { child, exited, stdout, url, saidOnError: () => stderr };
}

test("a generator shows what it counts and times while it runs, and the page ends with it", async (t) => {
  const server = await startServer(t);
  const args = ["run", server.urls.echo, "-c", "3", "-d", "60s", "-w", "0s"];
  const { child, exited, stdout, url } = await startGenerator(t, args);
  let samples: Record<string, number> = {};
  await waitUntil(async () => {
    samples = await scrape(url);
    return (samples[`${prefix}messages_answered_total{group="load"}`] ?? 0) > 0;
  }, "messages to be counted");
  assert.equal((await fetch(new URL("/readyz", url))).status, 200);
  const answered = samples[`${prefix}messages_answered_total{group="load"}`] ?? 0;
  assert.equal(samples[`${prefix}connections{group="load"}`], 3);
  assert.equal(samples[`${prefix}connections_opened_total{group="load"}`], 3);
  assert.equal(samples[`${prefix}messages_lost_total{group="load"}`], 0);
  assert.equal(samples[`${prefix}latency_seconds_count{group="load"}`], answered);
  assert.equal(samples[`${prefix}latency_seconds_bucket{le="+Inf",group="load"}`], answered);
  assert.ok((samples[`${prefix}latency_seconds_sum{group="load"}`] ?? 0) > 0);
  assert.equal(samples[`${prefix}connect_seconds_count{group="load"}`], 3);
  assert.ok((samples["process_cpu_seconds_total"] ?? 0) > 0);
  const asked = dashboardQueries()
    .filter(isOfLoad)
    .flatMap(({ expr }) => selectorsOf(expr));
  assert.ok(asked.length > 5);
  for (const { metric } of asked) {
    assert.ok(
      Object.keys(samples).some((sample) => sample.startsWith(`${metric}{`)),
      `the dashboard's ${metric}`,
    );
  }
  child.kill("SIGINT");
  await exited;
  const result = JSON.parse(await stdout) as ReturnType<typeof readResult>;
  assert.ok(result.messages.received >= answered);
  await assert.rejects(fetch(url));
});

test("a generator is ready once its connections are open, and then waits for the file with the start", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-start-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startServer(t);
  const { exited, stdout, saidOnError, url } = await startGenerator(t, [
    ...["idle", server.urls.echo, "--steps", "1,2,3,4", "--hold", "1s", "--connect-rate", "100"],
    ...["--start-at", `@${folder}/start`],
  ]);
  await waitUntil(async () => (await fetch(new URL("/readyz", url))).status === 200, "the generator");
  const startAt = Date.now() + 2000;
  writeFileSync(join(folder, "start"), new Date(startAt).toISOString());
  assert.deepEqual(await exited, [0, null], saidOnError());
  const report = idleSchema.parse(JSON.parse(await stdout));
  assert.ok(Math.abs(Date.parse(report.startedAt) - startAt) < 1000, report.startedAt);
});

test("a port that is taken is an error before anything is measured", async (t) => {
  const server = await startServer(t);
  const { port } = new URL(server.urls.echo);
  const args = ["run", server.urls.echo, "-d", "100ms", "-w", "0s", "--metrics-port", port];
  const child = spawn(process.execPath, [harnessPath, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const stderr = text(child.stderr);
  const [code] = await once(child, "exit");
  assert.equal(code, 3);
  assert.match(
    await stderr,
    new RegExp(`--metrics-port: cannot listen on 127.0.0.1:${port} \\(EADDRINUSE\\)`),
  );
});
