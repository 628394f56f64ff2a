import assert from "node:assert/strict";
import { test } from "node:test";
import { connectClient, connectSlowReader, flood, maskedFrame, refusedHandshake } from "../support/client.ts";
import { scrape, spawnServer, startServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";

test("on SIGTERM clients see 1001 and the exit code is 0", async (t) => {
  const server = await spawnServer(t);
  const clients = await Promise.all([1, 2, 3].map(() => connectClient(t, `ws://${server.authority}/echo`)));
  server.child.kill("SIGTERM");
  for (const client of clients) {
    assert.equal((await client.closed).code, 1001);
  }
  assert.equal(await server.exited, 0);
});

test("every echo accepted before SIGTERM reaches its client, even a slow reader", async (t) => {
  const server = await spawnServer(t, ["--max-payload", "64KiB"]);
  const slow = await connectSlowReader(t, `ws://${server.authority}/echo`);
  const count = 200;
  await flood(slow, maskedFrame(2, Buffer.alloc(64 * 1024)), count);
  const metrics = `http://${server.authority}/metrics`;
  await waitUntil(
    async () => (await scrape(metrics))['echo_messages_received_total{type="binary"}'] === count,
    "all messages to be accepted",
  );
  assert.ok(((await scrape(metrics))["echo_buffered_bytes"] ?? 0) > 0, "the reader must be behind");
  server.child.kill("SIGTERM");
  await server.logged(({ msg }) => msg === "draining");
  let received = Buffer.alloc(0);
  slow.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  slow.resume();
  // Unmasked frames with a head of 10 bytes, and then the close frame: its head, the code 1001 and a reason.
  const echoes = count * (64 * 1024 + 10);
  await waitUntil(() => received.length >= echoes + 4, "all echoes and the close frame");
  assert.equal(received[echoes], 0x88, "a close frame follows the last echo");
  assert.equal(received.readUInt16BE(echoes + 2), 1001);
  slow.destroy();
  assert.equal(await server.exited, 0);
});

test("clients that are still sending when the server stops lose no echo that it counted", async (t) => {
  const server = await spawnServer(t);
  const clients = await Promise.all(
    [1, 2, 3, 4].map(() => connectClient(t, `ws://${server.authority}/echo`)),
  );
  const received = clients.map(() => 0);
  for (const [i, { ws }] of clients.entries()) {
    ws.on("message", () => {
      received[i] = (received[i] ?? 0) + 1;
      if (ws.readyState === ws.OPEN) {
        for (const text of ["a", "b"]) {
          if (ws.bufferedAmount < 65_536) {
            ws.send(text);
          }
        }
      }
    });
    for (let k = 0; k < 50; k++) {
      ws.send("start");
    }
  }
  await waitUntil(() => received.every((count) => count > 1000), "the clients to be busy");
  server.child.kill("SIGTERM");
  for (const client of clients) {
    assert.equal((await client.closed).code, 1001);
  }
  assert.equal(await server.exited, 0);
});

test("answers 503 at /readyz during --drain-delay, and still accepts clients", async (t) => {
  const server = await spawnServer(t, ["--drain-delay", "6s"]);
  const client = await connectClient(t, `ws://${server.authority}/echo`);
  assert.equal((await fetch(`http://${server.authority}/readyz`)).status, 200);
  server.child.kill("SIGTERM");
  await waitUntil(
    async () => (await fetch(`http://${server.authority}/readyz`)).status === 503,
    "readyz to say 503",
  );
  assert.equal((await fetch(`http://${server.authority}/livez`)).status, 200);
  client.ws.send("still here");
  assert.equal((await client.next()).data.toString(), "still here");
  await connectClient(t, `ws://${server.authority}/echo`);
  assert.equal((await client.closed).code, 1001);
  assert.equal(await server.exited, 0);
});

test("spreads the closing over --drain-spread", async (t) => {
  const server = await spawnServer(t, ["--drain-spread", "4s"]);
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  let open = clients.length;
  for (const { closed } of clients) {
    void closed.then(() => open--);
  }
  server.child.kill("SIGTERM");
  await waitUntil(() => open < clients.length, "the first to be closed");
  assert.ok(open > 0, "not all at once");
  for (const client of clients) {
    assert.equal((await client.closed).code, 1001);
  }
  assert.equal(await server.exited, 0);
});

test("drops the remaining connections at --drain-timeout", async (t) => {
  const server = await spawnServer(t, ["--max-payload", "64KiB", "--drain-timeout", "300ms"]);
  const slow = await connectSlowReader(t, `ws://${server.authority}/echo`);
  await flood(slow, maskedFrame(2, Buffer.alloc(64 * 1024)), 150);
  await waitUntil(
    async () => ((await scrape(`http://${server.authority}/metrics`))["echo_buffered_bytes"] ?? 0) > 0,
    "the reader to be behind",
  );
  server.child.kill("SIGTERM");
  assert.equal(await server.exited, 0);
  assert.ok(server.log.some(({ msg }) => msg.startsWith("drain timeout reached")));
});

test("counts the connections that --drain-timeout cuts", async (t) => {
  const server = await startServer(t, { maxPayload: "64KiB", drainTimeout: 1500 });
  const gone = await connectClient(t, server.urls.echo);
  const slow = await connectSlowReader(t, server.urls.echo);
  await flood(slow, maskedFrame(2, Buffer.alloc(64 * 1024)), 200);
  await waitUntil(
    async () => ((await server.stats())["echo_buffered_bytes"] ?? 0) > 0,
    "the reader to be behind",
  );
  await server.stop();
  const stats = await server.stats();
  const terminated = (reason: string) => stats[`echo_connections_terminated_total{reason="${reason}"}`];
  assert.equal((await gone.closed).code, 1001);
  assert.equal(terminated("forced"), 1, "only the one that still had echoes to take");
  assert.equal(terminated("drain"), 2, "both were told");
});

test("a second signal ends it at once", async (t) => {
  const server = await spawnServer(t, ["--drain-delay", "1h"]);
  server.child.kill("SIGINT");
  await server.logged(({ msg }) => msg === "stopping");
  server.child.kill("SIGINT");
  assert.equal(await server.exited, 0);
  assert.ok(server.log.some(({ msg }) => msg.startsWith("second signal")));
});

test("a handshake on an open connection is refused with 503 while draining", async (t) => {
  const server = await startServer(t, { drainTimeout: "1m" });
  const slow = await connectSlowReader(t, server.urls.echo);
  await flood(slow, maskedFrame(2, Buffer.alloc(64 * 1024)), 150);
  await waitUntil(
    async () => ((await server.stats())["echo_buffered_bytes"] ?? 0) > 0,
    "the reader to be behind",
  );
  const { Agent } = await import("node:http");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await new Promise<void>((resolve) => {
    void import("node:http").then(({ get }) =>
      get(server.urls.livez, { agent }, (response) => response.resume().on("end", resolve)),
    );
  });
  const stopped = server.stop();
  const refused = await refusedHandshake(server.urls.echo, { agent });
  assert.equal(refused.status, 503);
  assert.match(refused.body, /shutting down/);
  slow.destroy();
  await stopped;
});
