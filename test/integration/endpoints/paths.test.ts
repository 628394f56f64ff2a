// The endpoints on demand that have their own paths.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../../support/echo-server.ts";
import { connectAt, nextTexts, openRawAt, refusedAt } from "../../support/on-demand.ts";
import { frame, opcode } from "../../support/raw-socket.ts";
import { waitUntil } from "../../support/wait.ts";

for (const [query, code, reason] of [
  ["code=4000&reason=hey", 4000, "hey"],
  ["reason=only", 1000, "only"],
  ["code=none", 1005, ""],
  ["after=50ms&code=1013", 1013, ""],
  ["abrupt", 1006, ""],
] as const) {
  test(`/close?${query} closes with ${code}`, async (t) => {
    const server = await startServer(t);
    const client = await connectAt(t, server, `/close?${query}`);
    assert.deepEqual(await client.closed, { code, reason });
  });
}

test("/ticks sends numbered messages of the requested size and type, and closes after the last", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/ticks?interval=20ms&count=5&burst=2&size=100&type=binary");
  assert.deepEqual(await client.closed, { code: 1000, reason: "" });
  for (let number = 1; number <= 5; number++) {
    const { data, isBinary } = await client.next();
    assert.equal(isBinary, true);
    assert.equal(data.length, 100);
    assert.equal(JSON.parse(data.toString()).tick, number);
  }
  const stats = await server.stats();
  assert.equal(stats['echo_messages_pushed_total{endpoint="ticks"}'], 5);
  assert.equal(stats["echo_pushed_bytes_total"], 500);
  assert.equal(stats['echo_messages_sent_total{type="binary"}'], 0, "none of them is an echo");
});

test("/ticks skips messages that would wait behind unread ones, and the numbers show it", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/ticks?interval=10ms&burst=50&size=1MiB");
  raw.socket.pause();
  await waitUntil(
    async () => ((await server.stats())["echo_ticks_skipped_total"] ?? 0) > 100,
    "ticks to be skipped",
  );
  assert.ok(((await server.stats())["echo_buffered_bytes"] ?? 0) <= 1024 * 1024 + 14);
});

test("/source sends as many bytes as requested, then closes; its bytes count up", async (t) => {
  const server = await startServer(t);
  for (const query of ["total=300001&size=1000", "total=100000&size=4KiB&rate=1MiB"]) {
    const client = await connectAt(t, server, `/source?${query}`);
    assert.equal((await client.closed).code, 1000);
    let bytes = 0;
    while (client.pending() > 0) {
      const { data } = await client.next();
      assert.ok(data.every((byte, i) => byte === i % 256));
      bytes += data.length;
    }
    assert.equal(bytes, Number(/total=(\d+)/.exec(query)?.[1]));
  }
});

test("/sink sends nothing back, and acknowledges on request", async (t) => {
  const server = await startServer(t);
  const silent = await connectAt(t, server, "/sink");
  const client = await connectAt(t, server, "/sink?ack=3");
  for (let i = 0; i < 7; i++) {
    silent.ws.send("ignored");
    client.ws.send(Buffer.alloc(10));
  }
  assert.deepEqual(
    (await nextTexts(client, 2)).map((text) => JSON.parse(text)),
    [
      { messages: 3, bytes: 30 },
      { messages: 6, bytes: 60 },
    ],
  );
  await waitUntil(
    async () => (await server.stats())['echo_messages_received_total{type="text"}'] === 7,
    "all to arrive",
  );
  const stats = await server.stats();
  assert.equal(silent.pending(), 0);
  assert.equal(stats['echo_messages_received_total{type="binary"}'], 7);
  assert.equal(stats['echo_messages_sent_total{type="binary"}'], 0);
  assert.equal(stats['echo_sends_total{result="sent"}'], 0);
});

test("/inspect by upgrade shows the handshake without secrets, and then echoes", async (t) => {
  const server = await startServer(t, { inspectHide: "X-Internal", compression: "shared", instance: "pod" });
  const client = await connectAt(t, server, "/inspect", {
    subprotocols: ["chat"],
    perMessageDeflate: true,
    headers: {
      Cookie: "session=secret",
      Authorization: "Bearer secret",
      "Proxy-Authorization": "secret",
      "X-Internal": "secret",
      "X-Forwarded-For": "203.0.113.7",
    },
  });
  client.ws.send("echo");
  const [text = "", echo] = await nextTexts(client, 2);
  assert.equal(echo, "echo");
  assert.doesNotMatch(text, /secret/);
  const found = JSON.parse(text);
  assert.equal(found.path, "/inspect");
  assert.equal(found.headers["x-forwarded-for"], "203.0.113.7");
  assert.equal(found.subprotocol, "chat");
  assert.match(found.extensions, /^permessage-deflate/);
  assert.equal(found.instance, "pod");
});

test("/inspect by upgrade is not for foreign pages, nor for names that a page has pointed here", async (t) => {
  const server = await startServer(t, { allowOrigin: ["https://friend.example"], inspect: true });
  const own = `http://127.0.0.1:${server.port}`;
  await connectAt(t, server, "/inspect", { headers: { Origin: "https://friend.example" } });
  assert.equal(
    (await refusedAt(server, "/inspect", { headers: { Origin: "https://evil.example" } })).status,
    403,
  );
  const open = await startServer(t);
  await connectAt(t, open, "/inspect", { headers: { Origin: `http://127.0.0.1:${open.port}` } });
  for (const path of ["/inspect", "/echo?greet=inspect"]) {
    assert.equal((await refusedAt(open, path, { headers: { Origin: own } })).status, 403, path);
    assert.equal((await refusedAt(open, path, { headers: { Origin: "null" } })).status, 403, path);
    const rebound = { Origin: "http://evil.example", Host: "evil.example" };
    assert.equal((await refusedAt(open, path, { headers: rebound })).status, 421, path);
  }
  const without = await startServer(t, { inspect: false });
  assert.equal((await refusedAt(without, "/inspect")).status, 404);
  assert.equal((await refusedAt(without, "/echo?greet=inspect")).status, 400);
});

test("/pings reports the round trip of each pong, and closes after the last", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/pings?interval=100ms&count=2");
  assert.equal((await client.closed).code, 1000);
  for (const ping of [1, 2]) {
    const told = JSON.parse((await client.next()).data.toString());
    assert.equal(told.ping, ping);
    assert.ok(told.rttMs >= 0 && told.rttMs < 60_000);
  }
  const stats = await server.stats();
  assert.equal(stats["echo_pings_sent_total"], 2);
  assert.equal(stats["echo_pongs_received_total"], 2);
});

test("/status refuses a handshake, or answers a GET, with that status", async (t) => {
  const server = await startServer(t);
  const { status, headers, body } = await refusedAt(server, "/status/503?retry_after=5s");
  assert.deepEqual([status, headers["retry-after"], body], [503, "5", "503 Service Unavailable\n"]);
  assert.equal((await refusedAt(server, "/status/418")).status, 418);
  const base = `http://127.0.0.1:${server.port}/status`;
  assert.equal((await fetch(`${base}/418`)).status, 418);
  assert.equal((await fetch(`${base}/204`)).status, 204);
  assert.equal((await fetch(`${base}/99`)).status, 400);
  await assert.rejects(fetch(`${base}/0`));
  await assert.rejects(refusedAt(server, "/status/0"), /socket hang up|ECONNRESET/);
  const stats = await server.stats();
  assert.equal(stats['echo_upgrades_rejected_total{reason="asked"}'], 3);
  assert.equal(stats['echo_http_requests_total{route="on_demand",code="other"}'], 3);
});

test("/basic-auth accepts the credentials of its path", async (t) => {
  const server = await startServer(t);
  const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  const path = "/basic-auth/us%20er/pass%3Aword";
  for (const headers of [{}, basic("us er:password"), basic("us er"), { Authorization: "Basic ***" }]) {
    const { status, headers: answered } = await refusedAt(server, path, { headers });
    assert.equal(status, 401);
    assert.equal(answered["www-authenticate"], 'Basic realm="uws-echo", charset="UTF-8"');
  }
  const client = await connectAt(t, server, path, { headers: basic("us er:pass:word") });
  client.ws.send("in");
  assert.deepEqual(await nextTexts(client, 1), ["in"]);
  const url = `http://127.0.0.1:${server.port}${path}`;
  assert.equal((await fetch(url)).status, 401);
  assert.deepEqual(await (await fetch(url, { headers: basic("us er:pass:word") })).json(), {
    authenticated: true,
    user: "us er",
  });
  assert.equal((await server.stats())['echo_upgrades_rejected_total{reason="unauthorized"}'], 4);
});

test("/bearer accepts a token in one of three ways", async (t) => {
  const server = await startServer(t);
  for (const path of ["/bearer", "/bearer?token="]) {
    assert.equal((await refusedAt(server, path)).status, 401, path);
  }
  assert.equal((await refusedAt(server, "/bearer", { headers: { Authorization: "Bearer" } })).status, 401);
  const clients = [
    await connectAt(t, server, "/bearer", { headers: { Authorization: "Bearer abc.def" } }),
    await connectAt(t, server, "/bearer?token=abc"),
    await connectAt(t, server, "/bearer", { subprotocols: ["bearer", "abc"] }),
  ];
  for (const client of clients) {
    client.ws.send("in");
    assert.deepEqual(await nextTexts(client, 1), ["in"]);
  }
  assert.equal(clients[2]?.ws.protocol, "bearer", "the token does not come back");
});

test("a GET of an endpoint on demand says how to connect, and another method is 405", async (t) => {
  const server = await startServer(t);
  const base = `http://127.0.0.1:${server.port}`;
  assert.equal((await fetch(`${base}/ticks`)).status, 426);
  const posted = await fetch(`${base}/ticks`, { method: "POST" });
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await fetch(`${base}/status/503`, { method: "POST" })).status, 405);
});

test("an unknown parameter is refused everywhere but on /echo", async (t) => {
  const server = await startServer(t);
  for (const path of [
    "/close",
    "/ticks",
    "/source",
    "/sink",
    "/inspect",
    "/pings",
    "/status/503",
    "/bench",
  ]) {
    const { status, body } = await refusedAt(server, `${path}?unknown=1`);
    assert.equal(status, 400, path);
    assert.match(body, /unknown: unknown parameter/);
  }
});

test("shutdown reaches every endpoint with 1001", async (t) => {
  const server = await startServer(t, { drainTimeout: "1m" });
  const paths = [
    "/ticks?interval=10ms",
    "/source?rate=1MiB",
    "/sink",
    "/inspect",
    "/pings",
    "/close",
    "/bench",
  ];
  const clients = await Promise.all(paths.map((path) => connectAt(t, server, path)));
  const stopped = server.stop();
  for (const [i, client] of clients.entries()) {
    assert.equal((await client.closed).code, 1001, paths[i]);
  }
  await stopped;
});

test("rooms give each message to all members, and no one else", async (t) => {
  const server = await startServer(t, { endpoints: "all" });
  const [a, b, other] = await Promise.all(
    ["/rooms/one", "/rooms/one", "/rooms/two"].map((path) => connectAt(t, server, path)),
  );
  assert.ok(a && b && other);
  a.ws.send("hello");
  b.ws.send(Buffer.from("binary"));
  for (const client of [a, b]) {
    const got = [await client.next(), await client.next()];
    assert.deepEqual(got.map(({ data, isBinary }) => `${isBinary} ${data}`).toSorted(), [
      "false hello",
      "true binary",
    ]);
  }
  assert.equal(other.pending(), 0);
  for (let i = 0; i < 200; i++) {
    a.ws.send("too many");
  }
  assert.equal((await a.closed).code, 1008);
  assert.equal((await refusedAt(server, "/rooms/a%2Fb")).status, 400);
});

const violations = {
  "invalid-utf8": /invalid UTF-8/i,
  "stray-continuation": /invalid opcode 0/i,
  interleaved: /invalid opcode 1/i,
  "close-1015": /invalid status code 1015/i,
  "long-ping": /invalid payload length 126/i,
  "wrong-accept": /Sec-WebSocket-Accept/i,
  "unoffered-protocol": /subprotocol/i,
} as const;

for (const [what, expected] of Object.entries(violations)) {
  test(`/violate/${what} is noticed by a client that checks`, async (t) => {
    const { WebSocket } = await import("ws");
    const server = await startServer(t, { endpoints: "all" });
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/violate/${what}`);
    const error = await new Promise<Error>((resolve) => ws.on("error", resolve));
    assert.match(error.message, expected);
    ws.terminate();
  });
}

test("/violate/unfinished ends amid a message", async (t) => {
  const server = await startServer(t, { endpoints: "all" });
  const raw = await openRawAt(t, server, "/violate/unfinished");
  const first = await raw.readFrame();
  assert.deepEqual([first.opcode, first.isFinal], [opcode.text, false]);
  assert.equal((await raw.readFrame()).opcode, opcode.close);
});

test("messages to an endpoint that does not echo are limited like any other", async (t) => {
  const server = await startServer(t, { maxMessageRate: 10 });
  const raw = await openRawAt(t, server, "/sink");
  await raw.send(Buffer.concat(Array.from({ length: 50 }, () => frame(opcode.text, "x"))));
  const close = await raw.readFrame();
  assert.equal(close.payload.readUInt16BE(), 1008);
});
