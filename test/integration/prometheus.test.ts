import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectClient } from "../support/client.ts";
import { startServer } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { requireTool } from "../support/tools.ts";
import { waitUntil } from "../support/wait.ts";

test("a real Prometheus scrapes the server and knows echo_messages_received_total", async (t) => {
  if (!requireTool(t, "prometheus")) return;
  const server = await startServer(t);
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 42; i++) ws.send("counted");
  for (let i = 0; i < 42; i++) await next();

  const folder = mkdtempSync(join(tmpdir(), "uws-echo-prometheus-"));
  const target = new URL(server.urls.metrics).host;
  writeFileSync(
    join(folder, "prometheus.yml"),
    `scrape_configs:\n  - job_name: echo\n    scrape_interval: 1s\n    static_configs:\n      - targets: ["${target}"]\n`,
  );
  const port = await freePort();
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    rmSync(folder, { recursive: true });
  });

  const query = async (expression: string): Promise<[Record<string, string>, number][]> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const response = await fetch(url).catch(() => undefined);
    if (response === undefined || !response.ok) return [];
    const { data } = (await response.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => [metric, Number(value[1])]);
  };
  await waitUntil(
    async () => (await query('echo_messages_received_total{type="text"}')).some(([, value]) => value === 42),
    `Prometheus to know the count\n${errors}`,
    30_000,
  );
  assert.deepEqual(
    (await query("up")).map(([, value]) => value),
    [1],
  );
  assert.equal((await query("echo_message_size_bytes_count"))[0]?.[1], 42);
  assert.equal((await query("echo_build_info")).length, 1);
});
