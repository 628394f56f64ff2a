import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connectClient, refusedHandshake } from "../support/client.ts";
import { spawnServer, startServer } from "../support/echo-server.ts";
import { waitUntil } from "../support/wait.ts";

test("refuses with 503 above --max-connections, and accepts again below it", async (t) => {
  const server = await startServer(t, { maxConnections: 2 });
  const first = await connectClient(t, server.urls.echo);
  await connectClient(t, server.urls.echo);
  const refused = await refusedHandshake(server.urls.echo);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers["retry-after"], "5");
  assert.match(refused.body, /--max-connections/);
  first.ws.close();
  await first.closed;
  await waitUntil(async () => (await server.stats())["echo_connections"] === 1, "the place to be free");
  await connectClient(t, server.urls.echo);
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="capacity"}'], 1);
});

test("refuses with 429 above --max-connections-per-ip, counted by the address that a trusted proxy names", async (t) => {
  const server = await startServer(t, { maxConnectionsPerIp: 1, trustProxy: ["127.0.0.1"] });
  const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
  await connectClient(t, server.urls.echo, from("203.0.113.1"));
  await connectClient(t, server.urls.echo, from("203.0.113.2"));
  const refused = await refusedHandshake(server.urls.echo, from("::ffff:203.0.113.1"));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="per_ip"}'], 1);
});

test("ignores X-Forwarded-For of a proxy that is not trusted", async (t) => {
  const server = await startServer(t, { maxConnectionsPerIp: 1 });
  await connectClient(t, server.urls.echo, { headers: { "x-forwarded-for": "203.0.113.1" } });
  const refused = await refusedHandshake(server.urls.echo, { headers: { "x-forwarded-for": "203.0.113.2" } });
  assert.equal(refused.status, 429);
});

test("refuses with 429 above --handshake-rate", async (t) => {
  const server = await startServer(t, { handshakeRate: 1 });
  await connectClient(t, server.urls.echo);
  const refused = await refusedHandshake(server.urls.echo);
  assert.equal(refused.status, 429);
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="rate"}'], 1);
});

test("refuses pages of other origins with 403, and accepts clients without an origin", async (t) => {
  const server = await startServer(t, { allowOrigin: ["https://example.org"] });
  const refused = await refusedHandshake(server.urls.echo, { origin: "https://evil.example" });
  assert.equal(refused.status, 403);
  await connectClient(t, server.urls.echo, { origin: "https://example.org" });
  await connectClient(t, server.urls.echo);
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="origin"}'], 1);
});

test("stops listening before descriptors run out, never spins, and listens again", async (t) => {
  // By default a single address is refused much earlier.
  const unlimited = ["--max-http-connections", "1000", "--max-http-connections-per-ip", "0"];
  const server = await spawnServer(t, unlimited, { before: "ulimit -n 160" });
  const port = Number(server.authority.split(":")[1]);
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  // Idle TCP connections use descriptors without a handshake.
  for (let i = 0; i < 200; i++) {
    sockets.push(connect(port, "127.0.0.1").on("error", () => undefined));
  }
  await server.logged(({ msg }) => msg.includes("listening paused"));
  for (const socket of sockets) {
    socket.destroy();
  }
  await server.logged(({ msg }) => msg === "listening resumed");
  // Connections in progress may pause it once more.
  await waitUntil(
    async () => (await fetch(`http://${server.authority}/livez`).catch(() => undefined))?.status === 200,
    "the server to answer again",
  );
  await connectClient(t, `ws://${server.authority}/echo`);
});

for (const workers of ["1", "2"]) {
  test(`idle connections to the admin port neither use up descriptors nor keep clients out: ${workers} worker(s)`, async (t) => {
    const server = await spawnServer(
      t,
      ["--admin-port", "0", "--admin-host", "127.0.0.1", "--workers", workers],
      { before: "ulimit -n 256" },
    );
    const admin = new URL(server.urls.find((url) => url.endsWith("/livez")) ?? "");
    for (let i = 0; i < 300; i++) {
      const socket = connect(Number(admin.port), "127.0.0.1").on("error", () => undefined);
      t.after(() => socket.destroy());
    }
    await server.logged((line) => /listening paused/.test(line.msg) && line["listener"] === "admin");
    const open = readdirSync(`/proc/${server.pid}/fd`).length;
    assert.ok(open < 200, `${open} descriptors`);
    const { ws, next } = await connectClient(t, `ws://${server.authority}/echo`);
    ws.send("still here");
    assert.equal((await next()).data.toString(), "still here");
  });
}
