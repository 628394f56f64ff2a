import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { optionNames, optionRow } from "../../src/config/resolve.ts";
import { connectClient } from "../support/client.ts";
import { scrape, startServer } from "../support/echo-server.ts";
import { toolTest } from "../support/tools.ts";

const prometheusAccept =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

test("every metric that counts a limit exists, with its labels", async (t) => {
  const server = await startServer(t);
  const samples = await scrape(server.urls.metrics);
  for (const name of optionNames) {
    for (const sample of optionRow(name).limit?.countedBy ?? []) {
      assert.ok(
        Object.keys(samples).some((known) => known === sample || known.startsWith(`${sample}{`)),
        `${name}: ${sample}`,
      );
    }
  }
});

test("counts are exact: 1000 text and 500 binary messages are 1000 and 500", async (t) => {
  const server = await startServer(t);
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 1000; i++) {
    ws.send("12345");
  }
  for (let i = 0; i < 500; i++) {
    ws.send(Buffer.alloc(100));
  }
  for (let i = 0; i < 1500; i++) {
    await next();
  }
  const samples = await scrape(server.urls.metrics);
  const expected = {
    'echo_messages_received_total{type="text"}': 1000,
    'echo_messages_received_total{type="binary"}': 500,
    'echo_messages_sent_total{type="text"}': 1000,
    'echo_messages_sent_total{type="binary"}': 500,
    'echo_received_bytes_total{type="text"}': 5000,
    'echo_received_bytes_total{type="binary"}': 50_000,
    'echo_sent_bytes_total{type="text"}': 5000,
    'echo_sent_bytes_total{type="binary"}': 50_000,
    'echo_message_size_bytes_bucket{le="64"}': 1000,
    'echo_message_size_bytes_bucket{le="256"}': 1500,
    'echo_message_size_bytes_bucket{le="+Inf"}': 1500,
    echo_message_size_bytes_sum: 55_000,
    echo_message_size_bytes_count: 1500,
    'echo_sends_total{result="dropped"}': 0,
    echo_connections: 1,
    echo_connections_opened_total: 1,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(samples[name], value, name);
  }
  const sends = (result: string): number => samples[`echo_sends_total{result="${result}"}`] ?? Number.NaN;
  assert.equal(sends("sent") + sends("buffered"), 1500);
});

test("a closed connection is counted under its code and its lifetime", async (t) => {
  const server = await startServer(t);
  const polite = await connectClient(t, server.urls.echo);
  polite.ws.close(1000);
  await polite.closed;
  const own = await connectClient(t, server.urls.echo);
  own.ws.close(4321);
  await own.closed;
  const samples = await scrape(server.urls.metrics);
  assert.equal(samples['echo_connections_closed_total{code="1000"}'], 1);
  assert.equal(samples['echo_connections_closed_total{code="4xxx"}'], 1);
  assert.equal(samples["echo_connection_duration_seconds_count"], 2);
  assert.equal(samples["echo_connections"], 0);
});

toolTest("promtool", "promtool accepts the page", async (t) => {
  const server = await startServer(t);
  const page = await (await fetch(server.urls.metrics)).text();
  const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], {
    input: page,
    encoding: "utf8",
  });
  // prom-client's process defaults break naming rules that promtool only warns of; ours must not.
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("echo_"));
  assert.deepEqual(complaints, []);
  assert.ok(status === 0 || status === 3, stderr);
});

test("speaks OpenMetrics to Prometheus and text to others, in any order", async (t) => {
  const server = await startServer(t);
  for (const [accept, type] of [
    [prometheusAccept, "application/openmetrics-text; version=1.0.0; charset=utf-8"],
    ["*/*", "text/plain; version=0.0.4; charset=utf-8"],
    [prometheusAccept, "application/openmetrics-text; version=1.0.0; charset=utf-8"],
    ["text/plain", "text/plain; version=0.0.4; charset=utf-8"],
  ] as const) {
    const response = await fetch(server.urls.metrics, { headers: { accept } });
    assert.equal(response.headers.get("content-type"), type);
    const page = await response.text();
    assert.match(page, /^echo_connections_opened_total 0$/m);
    assert.equal(page.endsWith("# EOF\n"), type.startsWith("application/openmetrics"));
    // OpenMetrics names a counter's family without its suffix; the text format names it with it.
    assert.match(
      page,
      type.startsWith("text") ? /^# TYPE echo_sends_total counter$/m : /^# TYPE echo_sends counter$/m,
    );
  }
});

test("compresses the page when asked", async (t) => {
  const server = await startServer(t);
  const { get } = await import("node:http");
  const { headers, body } = await new Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve) => {
      get(server.urls.metrics, { headers: { "accept-encoding": "gzip" }, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
      });
    },
  );
  assert.equal(headers["content-encoding"], "gzip");
  assert.match(gunzipSync(body).toString(), /^echo_build_info\{/m);
});

test("shows the limits in force", async (t) => {
  const server = await startServer(t, {
    maxPayload: "1MiB",
    maxBackpressure: "2MiB",
    maxConnections: 17,
    stallTimeout: "7s",
  });
  const samples = await scrape(server.urls.metrics);
  assert.equal(samples["echo_limit_payload_bytes"], 1_048_576);
  assert.equal(samples["echo_limit_backpressure_bytes"], 2_097_152);
  assert.equal(samples["echo_limit_connections"], 17);
  assert.equal(samples["echo_limit_stall_timeout_seconds"], 7);
});

test("moves to the admin port with the health endpoints", async (t) => {
  const server = await startServer(t, { adminPort: 0, adminHost: "127.0.0.1" });
  assert.notEqual(new URL(server.urls.metrics).port, String(server.port));
  assert.equal((await fetch(server.urls.readyz)).status, 200);
  assert.match(await (await fetch(server.urls.metrics)).text(), /^echo_connections 0$/m);
  for (const path of ["/metrics", "/livez", "/readyz", "/healthz"]) {
    assert.equal((await fetch(`http://127.0.0.1:${server.port}${path}`)).status, 404, path);
  }
});
