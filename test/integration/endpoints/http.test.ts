// The endpoints on demand that answer plain HTTP.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cleanup, scrape, startServer } from "../../support/echo-server.ts";
import { connectRaw, RawSocket } from "../../support/raw-socket.ts";
import { schemes, spawnOver } from "../../support/schemes.ts";
import { waitUntil } from "../../support/wait.ts";

const kiB = 1024;
const miB = 1024 * kiB;

interface Event {
  readonly id: string;
  readonly data: string;
}

function readEvents(text: string): Event[] {
  return text.split("\n\n").flatMap((block) => {
    const id = /^id: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return id === undefined || data === undefined ? [] : [{ id, data }];
  });
}

test("/sse sends as many numbered events as requested, and then ends", async (t) => {
  const server = await startServer(t);
  const response = await fetch(`http://127.0.0.1:${server.port}/sse?interval=10ms&count=5&size=200`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("cache-control"), "no-store");
  const events = readEvents(await response.text());
  assert.deepEqual(
    events.map(({ id }) => id),
    ["1", "2", "3", "4", "5"],
  );
  for (const { id, data } of events) {
    assert.equal(data.length, 200);
    assert.equal(JSON.parse(data).tick, Number(id));
  }
  const stats = await server.stats();
  assert.equal(stats['echo_messages_pushed_total{endpoint="sse"}'], 5);
  assert.equal(stats['echo_endpoint_connections{endpoint="sse"}'], 0);
});

test("the head of /sse comes before the first event", async (t) => {
  const server = await startServer(t);
  const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
  await raw.send("GET /sse?interval=1h HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.equal((await raw.readHead()).headers["content-type"], "text/event-stream");
  assert.equal((await server.stats())['echo_endpoint_connections{endpoint="sse"}'], 1);
  raw.socket.destroy();
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="sse"}'] === 0,
    "the stream to be forgotten",
  );
});

for (const scheme of schemes) {
  test(`events of 1 MiB arrive whole at a slow reader, over ${scheme}`, async (t) => {
    const server = await spawnOver(t, scheme);
    const raw = new RawSocket(await server.dial());
    await raw.send(
      "GET /sse?interval=10ms&count=12&size=1MiB HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    const pump = setInterval(() => (raw.socket.isPaused() ? raw.socket.resume() : raw.socket.pause()), 5);
    t.after(() => clearInterval(pump));
    const answer = await raw.ended(60_000);
    const text = dechunk(answer);
    const events = readEvents(text);
    assert.ok(events.length >= 1);
    for (const { data } of events) {
      assert.equal(data.length, miB);
    }
    const skipped = (await scrape(server.metrics))["echo_ticks_skipped_total"] ?? 0;
    assert.equal(events.length + skipped, 12);
  });
}

function dechunk(answer: Buffer): string {
  const parts: Buffer[] = [];
  let at = answer.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const end = answer.indexOf("\r\n", at);
    const size = Number.parseInt(answer.toString("latin1", at, end), 16);
    assert.ok(size >= 0, `a chunk size at ${at}`);
    if (size === 0) {
      return Buffer.concat(parts).toString();
    }
    parts.push(answer.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

for (const scheme of schemes) {
  test(`a client that does not read /sse costs one event at most, and what it misses is counted, over ${scheme}`, async (t) => {
    const { dial, metrics } = await spawnOver(t, scheme);
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = await dial();
      socket.write("GET /sse?interval=10ms&size=1MiB HTTP/1.1\r\nHost: x\r\n\r\n");
      sockets.push(socket);
    }
    await waitUntil(
      async () => ((await scrape(metrics))["echo_ticks_skipped_total"] ?? 0) > 30,
      "events to be skipped",
      60_000,
    );
    const buffered = (await scrape(metrics))["echo_buffered_bytes"] ?? 0;
    assert.ok(buffered > 0 && buffered <= 3 * (miB + 100), `${buffered} bytes wait`);
    for (const socket of sockets) {
      socket.destroy();
    }
    await waitUntil(
      async () => (await scrape(metrics))["echo_buffered_bytes"] === 0,
      "the bytes to be let go",
      60_000,
    );
  });
}

test("/delay answers GET and HEAD after the requested time", async (t) => {
  const server = await startServer(t);
  for (const method of ["GET", "HEAD"]) {
    const since = performance.now();
    const response = await fetch(`http://127.0.0.1:${server.port}/delay/300ms`, { method });
    assert.ok(performance.now() - since >= 299, method);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), method === "GET" ? '{\n  "delay": "300ms"\n}\n' : "");
  }
  assert.equal((await server.stats())['echo_endpoint_connections{endpoint="delay"}'], 0);
});

test("a client that leaves before its answer is forgotten", async (t) => {
  const server = await startServer(t);
  const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
  await raw.send("GET /delay/10s HTTP/1.1\r\nHost: x\r\n\r\n");
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="delay"}'] === 1,
    "the answer to be held",
  );
  raw.socket.destroy();
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="delay"}'] === 0,
    "the answer to be dropped",
  );
});

test("bad parameters get 400 with every problem", async (t) => {
  const server = await startServer(t, { endpointsMaxDelay: "5s" });
  for (const [path, problems] of [
    ["/sse?interval=1ms&count=0&what=1", [/interval/, /count/, /what/]],
    ["/delay/6s", [/5s/]],
    ["/delay/soon", [/duration/]],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    assert.equal(response.status, 400, path);
    const text = await response.text();
    for (const problem of problems) {
      assert.match(text, problem);
    }
  }
});

test("held answers count as connections of endpoints on demand", async (t) => {
  const server = await startServer(t, { endpointsConnections: 1 });
  const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
  await raw.send("GET /sse HTTP/1.1\r\nHost: x\r\n\r\n");
  await raw.readHead();
  for (const path of ["/sse", "/delay/10ms"]) {
    const refused = await fetch(`http://127.0.0.1:${server.port}${path}`);
    assert.equal(refused.status, 503, path);
    assert.equal(refused.headers.get("retry-after"), "5");
  }
});

for (const scheme of schemes) {
  test(`on SIGTERM streams end whole and held answers go out at once, over ${scheme}`, async (t) => {
    const server = await spawnOver(t, scheme, ["--drain-timeout", "30s"]);
    const { metrics } = server;
    const [delayed, streamed] = [new RawSocket(await server.dial()), new RawSocket(await server.dial())];
    for (const raw of [delayed, streamed]) {
      raw.socket.resume();
    }
    await delayed.send("GET /delay/10s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await streamed.send("GET /sse?interval=20ms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await waitUntil(
      async () => (await scrape(metrics))['echo_endpoint_connections{endpoint="delay"}'] === 1,
      "the answer to be held",
    );
    await sleep(100);
    server.child.kill("SIGTERM");
    assert.equal((await delayed.readHead()).status, 200);
    const events = readEvents(dechunk(await streamed.ended(60_000)));
    assert.ok(events.length > 0);
    assert.deepEqual(
      events.map(({ id }) => id),
      events.map((_, i) => String(i + 1)),
    );
    assert.equal(await server.exited, 0);
  });
}

test("with --endpoints off there is neither", async (t) => {
  const server = await startServer(t, { endpoints: "off" });
  for (const path of ["/sse", "/delay/1s"]) {
    assert.equal((await fetch(`http://127.0.0.1:${server.port}${path}`)).status, 404, path);
  }
});

/** The whole response on a separate connection. */
async function answerTo(t: Cleanup, port: number, path: string): Promise<string> {
  const raw = await connectRaw(t, `127.0.0.1:${port}`);
  await raw.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return (await raw.ended()).toString("latin1");
}

test("a status that allows no body has none", async (t) => {
  const server = await startServer(t);
  for (const status of [204, 205, 304]) {
    const answer = await answerTo(t, server.port, `/status/${status}`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(answer, /\r\n\r\n$/, `${status} has a body`);
    assert.doesNotMatch(answer, /content-type/i);
  }
});

test("headers of --inspect-hide are hidden from GET /inspect as well", async (t) => {
  const server = await startServer(t, { inspectHide: "x-secret" });
  const response = await fetch(`${server.urls.inspect}`, { headers: { "x-secret": "1", "x-open": "2" } });
  const { headers } = (await response.json()) as { headers: Record<string, string> };
  assert.equal(headers["x-open"], "2");
  assert.notEqual(headers["x-secret"], "1");
});
