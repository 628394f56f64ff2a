import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { connectClient } from "../support/client.ts";
import { scrape, spawnServer, startServer } from "../support/echo-server.ts";
import { connectRaw, RawSocket } from "../support/raw-socket.ts";
import { connectTls, getSecure, startSecureServer } from "../support/secure.ts";
import { waitUntil } from "../support/wait.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

test("224 kept-alive connections of one address do not keep WebSocket clients out", {
  timeout: 120_000,
}, async (t) => {
  const server = await spawnServer(t, [], { before: "ulimit -n 256" });
  const idle = await Promise.all(
    Array.from({ length: 224 }, () => connectRaw(t, server.authority).catch(() => undefined)),
  );
  const ask = setInterval(() => {
    for (const raw of idle) {
      if (raw?.socket.writable) {
        raw.socket.write(get("/livez"));
      }
    }
  }, 1000);
  t.after(() => clearInterval(ask));
  await waitUntil(
    () => idle.filter((raw) => raw?.socket.closed !== false).length > 100,
    "most of them to be let go",
    30_000,
  );
  const clients = await Promise.all(
    Array.from({ length: 35 }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  for (const client of clients) {
    client.ws.send("in");
    assert.equal((await client.next()).data.toString(), "in");
  }
  const samples = await scrape(`http://${server.authority}/metrics`);
  const ended =
    (samples["echo_http_keep_alive_refused_total"] ?? 0) +
    (samples["echo_http_connections_refused_total"] ?? 0);
  assert.ok(ended > 100, `${ended} were let go`);
  assert.equal(samples["echo_connections"], 35);
});

test("an answer that ends its connection is whole, and says so", async (t) => {
  const server = await startServer(t, { maxHttpConnectionsPerIp: 1 });
  const whole = Buffer.from(
    await (
      await fetch(`http://127.0.0.1:${server.port}/`, { headers: { "accept-encoding": "identity" } })
    ).arrayBuffer(),
  );
  for (const path of ["/livez", "/"]) {
    const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
    await raw.send(get(path));
    const answer = await raw.ended();
    const head = answer.indexOf("\r\n\r\n");
    assert.match(answer.toString("latin1", 0, head), /\r\nConnection: close\r\n/);
    const body = answer.subarray(head + 4);
    assert.ok(body.equals(path === "/" ? whole : Buffer.from("ok\n")), path);
  }
});

/** Sends requests, each after the response to the one before, until a response is the last. Returns their number. */
async function requestsUntilLast(raw: RawSocket, most: number): Promise<number> {
  for (let requests = 1; requests <= most; requests++) {
    await raw.send(get("/livez"));
    const { status, headers } = await raw.readHead();
    assert.equal(status, 200);
    assert.equal((await raw.read(Number(headers["content-length"]))).toString(), "ok\n");
    if (headers["connection"] === "close") {
      await raw.ended();
      return requests;
    }
  }
  throw new Error(`${most} responses left the connection open`);
}

test("over TLS a connection ends with the response to --max-keep-alive-requests, each by its own count", async (t) => {
  const { server } = await startSecureServer(t, { maxKeepAliveRequests: 20 });
  const sockets = await Promise.all(Array.from({ length: 3 }, () => connectTls(t, server.port)));
  const counts = await Promise.all(sockets.map((socket) => requestsUntilLast(new RawSocket(socket), 20)));
  assert.deepEqual(counts, [20, 20, 20]);
  const page = await getSecure(`https://127.0.0.1:${server.port}/metrics`);
  assert.match(page, /^echo_http_keep_alive_exhausted_total 3$/m);
});

test("one address that keeps opening connections and asks for nothing leaves room for others", async (t) => {
  const server = await spawnServer(t, [], { before: "ulimit -n 256" });
  const { hostname, port } = new URL(`http://${server.authority}`);
  let isOver = false;
  const open = (): void => {
    if (isOver) {
      return;
    }
    const socket = connect({ host: hostname, port: Number(port), localAddress: "127.0.0.2" });
    socket.on("error", () => undefined).on("close", () => setTimeout(open, 20));
    t.after(() => socket.destroy());
  };
  t.after(() => {
    isOver = true;
  });
  for (let i = 0; i < 400; i++) {
    open();
  }
  const metrics = `http://${server.authority}/metrics`;
  await waitUntil(
    async () => ((await scrape(metrics))["echo_http_connections_refused_total"] ?? 0) > 100,
    "connections to be refused",
    60_000,
  );
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => connectClient(t, `ws://${server.authority}/echo`)),
  );
  for (const client of clients) {
    client.ws.send("in");
    assert.equal((await client.next()).data.toString(), "in");
  }
  assert.equal((await scrape(metrics))["echo_listen_pauses_total"], 0);
});
