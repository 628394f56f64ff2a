// What clients of endpoints on demand can cost: memory, connections, and nothing for plain /echo.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../../support/echo-server.ts";
import { connectAt, openRawAt, refusedAt } from "../../support/on-demand.ts";
import { frame, opcode } from "../../support/raw-socket.ts";
import { waitUntil } from "../../support/wait.ts";

const kiB = 1024;
const miB = 1024 * kiB;

test("held replies count against --max-backpressure: over it the connection is closed", async (t) => {
  const server = await startServer(t, { maxPayload: "64KiB", maxBackpressure: "256KiB" });
  const client = await connectAt(t, server, "/echo?delay=10s");
  for (let i = 0; i < 10; i++) {
    client.ws.send(Buffer.alloc(64 * kiB));
  }
  assert.equal((await client.closed).code, 1006);
  const stats = await server.stats();
  assert.equal(stats['echo_connections_terminated_total{reason="backpressure"}'], 1);
  assert.equal(stats["echo_delayed_bytes"], 0);
  assert.equal(stats["echo_buffered_bytes"], 0);
});

test("with --on-backpressure drop, what does not fit into the line is dropped and the rest arrives", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "128KiB",
    onBackpressure: "drop",
  });
  const client = await connectAt(t, server, "/echo?delay=300ms");
  for (let i = 0; i < 10; i++) {
    client.ws.send(Buffer.alloc(64 * kiB, i));
  }
  assert.equal((await client.next()).data[0], 0);
  const stats = await server.stats();
  const dropped = stats['echo_sends_total{result="dropped"}'] ?? 0;
  assert.ok(dropped > 0 && dropped < 10);
  assert.equal(stats["echo_delayed_dropped_total"], dropped);
});

test("many clients that have their replies held stay under --max-buffered together", async (t) => {
  const server = await startServer(t, { maxPayload: "64KiB", maxBackpressure: "1MiB", maxBuffered: "2MiB" });
  const clients = await Promise.all(
    Array.from({ length: 60 }, () => connectAt(t, server, "/echo?delay=10s&rate=1KiB")),
  );
  let most = 0;
  for (let round = 0; round < 4; round++) {
    for (const { ws } of clients) {
      ws.send(Buffer.alloc(64 * kiB));
    }
    await sleep(20);
    most = Math.max(most, (await server.stats())["echo_buffered_bytes"] ?? 0);
  }
  await waitUntil(
    async () => ((await server.stats())['echo_connections_terminated_total{reason="buffer_cap"}'] ?? 0) > 0,
    "the cap to be met",
  );
  assert.ok(most <= 2 * miB, `${most} bytes held`);
  assert.ok(((await server.stats())["echo_connections"] ?? 0) > 0, "and not everyone is closed");
});

test("empty messages are not free to hold", async (t) => {
  const server = await startServer(t, { maxPayload: "1KiB", maxBackpressure: "64KiB" });
  const raw = await openRawAt(t, server, "/echo?delay=10s");
  await raw.send(Buffer.concat(Array.from({ length: 2000 }, () => frame(opcode.text))));
  await raw.ended();
  assert.equal(
    (await server.stats())['echo_connections_terminated_total{reason="backpressure"}'],
    1,
    "600 of them fill 64 KiB",
  );
});

test("a client that reads nothing of /source costs at most 1 MiB", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/source?size=1MiB");
  raw.socket.pause();
  await waitUntil(
    async () => ((await server.stats())["echo_buffered_bytes"] ?? 0) > 0,
    "the client to be behind",
  );
  const { echo_buffered_bytes: bytes = 0, echo_pushed_bytes_total: pushed = 0 } = await server.stats();
  assert.ok(bytes <= miB + 14, `${bytes} bytes wait`);
  await sleep(300);
  assert.equal((await server.stats())["echo_pushed_bytes_total"], pushed, "nothing more is pushed");
});

test("--endpoints-connections bounds them, and leaves plain /echo alone", async (t) => {
  const server = await startServer(t, { endpointsConnections: 2 });
  const [first] = [await connectAt(t, server, "/ticks"), await connectAt(t, server, "/echo?delay=1ms")];
  const { status, headers, body } = await refusedAt(server, "/sink");
  assert.deepEqual([status, headers["retry-after"]], [503, "5"]);
  assert.match(body, /--endpoints-connections/);
  const plain = await connectAt(t, server, "/echo");
  plain.ws.send("in");
  await plain.next();
  first.ws.close();
  await first.closed;
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="ticks"}'] === 0,
    "the place to be free",
  );
  await connectAt(t, server, "/sink");
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="endpoints_capacity"}'], 1);
});

test("--endpoints off leaves a plain echo, and safe leaves rooms and violations out", async (t) => {
  const off = await startServer(t, { endpoints: "off" });
  const client = await connectAt(t, off, "/echo?close_after=1&delay=1h");
  client.ws.send("a");
  client.ws.send("b");
  await client.next();
  await client.next();
  assert.equal((await refusedAt(off, "/ticks")).status, 404);
  const safe = await startServer(t);
  assert.equal((await refusedAt(safe, "/rooms/a")).status, 404);
  assert.equal((await refusedAt(safe, "/violate/long-ping")).status, 404);
  assert.doesNotMatch(await (await fetch(`http://127.0.0.1:${safe.port}/nothing`)).text(), /violate|rooms/);
});

test("--echo-paths puts the echo elsewhere, also beside the page, and its parameters with it", async (t) => {
  const server = await startServer(t, { echoPaths: "/,/deep/ws" });
  for (const path of ["/", "/deep/ws", "/?delay=1ms", "/deep/ws?greet=hi"]) {
    const client = await connectAt(t, server, path);
    client.ws.send("echo");
    const { data } = await client.next();
    assert.equal(data.toString(), path.includes("greet") ? "hi" : "echo", path);
  }
  assert.equal((await refusedAt(server, "/echo")).status, 404);
  assert.match(await (await fetch(`http://127.0.0.1:${server.port}/`)).text(), /<!doctype html>/i);
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/deep/ws`)).status, 426);
});

test("--echo-paths * echoes on any path without another endpoint, also with endpoints off", async (t) => {
  for (const endpoints of ["safe", "off"] as const) {
    const server = await startServer(t, { echoPaths: "*", endpoints, endpointsConnections: 1 });
    for (const path of ["/echo", "/", "/any/thing?x=1", "/metrics"]) {
      const client = await connectAt(t, server, path);
      client.ws.send(path);
      assert.equal((await client.next()).data.toString(), path);
    }
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/any`)).status, 404);
  }
});

test("--instance none leaves the header of the 101 out", async (t) => {
  const none = await startServer(t, { instance: "none" });
  assert.equal((await openRawAt(t, none, "/echo")).head.headers["uws-echo-instance"], undefined);
  const random = await startServer(t);
  assert.match(
    (await openRawAt(t, random, "/echo")).head.headers["uws-echo-instance"] ?? "",
    /^[0-9a-f]{8}$/,
  );
});
