// The handlers of pywebsocket's example directory, as documented and as they behave, byte by byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../../support/echo-server.ts";
import { authorityOf, connectAt, nextTexts, openRawAt, refusedAt } from "../../support/on-demand.ts";
import { closing, connectRaw, frame, handshake, opcode } from "../../support/raw-socket.ts";

test("/echo_noext echoes and declines every extension", async (t) => {
  const server = await startServer(t, { compression: "shared" });
  const raw = await openRawAt(t, server, "/echo_noext", { "Sec-WebSocket-Extensions": "permessage-deflate" });
  assert.equal(raw.head.headers["sec-websocket-extensions"], undefined);
  await raw.send(frame(opcode.text, "Hello"));
  assert.deepEqual(await raw.read(7), Buffer.from("\x81\x05Hello", "latin1"));
});

for (const [text, code, reason] of [
  ["1001 bye", 1001, "bye"],
  ["1000 ", 1000, ""],
  ["1011 two words", 1011, "two words"],
  ["4999 é", 4999, "é"],
] as const) {
  test(`/close closes with exactly what ${JSON.stringify(text)} says`, async (t) => {
    const server = await startServer(t);
    const raw = await openRawAt(t, server, "/close");
    await raw.send(frame(opcode.text, text));
    assert.deepEqual(await raw.ended(), frame(opcode.close, closing(code, reason), { isMasked: false }));
  });
}

test("/close closes with 1008 for any other text, and for binary messages", async (t) => {
  const server = await startServer(t);
  for (const message of [
    "bye",
    "1005 bye",
    "999 x",
    "1000bye",
    `1000 ${"x".repeat(124)}`,
    Buffer.from("1000 x"),
  ]) {
    const client = await connectAt(t, server, "/close");
    client.ws.send(message);
    assert.equal((await client.closed).code, 1008, String(message));
  }
});

test("/close answers a client's close alike", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/close");
  await raw.send(frame(opcode.close, closing(1003, "like this")));
  assert.deepEqual(await raw.ended(), frame(opcode.close, closing(1003, "like this"), { isMasked: false }));
});

test("/abort ends the TCP connection after the handshake, without a close frame", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/abort");
  assert.equal((await raw.ended()).length, 0);
});

test("/abort_handshake ends the TCP connection without an HTTP response", async (t) => {
  const server = await startServer(t);
  const raw = await connectRaw(t, authorityOf(server));
  await raw.send(handshake({}, "GET /abort_handshake HTTP/1.1"));
  assert.equal((await raw.ended()).length, 0);
});

test("/internal_error closes with 1011 and no reason", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/internal_error");
  assert.deepEqual(await raw.ended(), Buffer.from([0x88, 0x02, 0x03, 0xf3]));
});

test("/bench sends the message as often as requested, at the given interval, and closes with 1000", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/bench");
  const sentAt = performance.now();
  client.ws.send("0.05 4 Hello there");
  assert.deepEqual(await client.closed, { code: 1000, reason: "" });
  assert.ok(performance.now() - sentAt >= 190);
  assert.deepEqual(await nextTexts(client, 4), Array(4).fill("Hello there"));
  assert.equal(client.pending(), 0);
});

test("/bench closes with 1011 for a command that it cannot parse", async (t) => {
  const server = await startServer(t);
  for (const order of ["", "0.1 5", "x 5 message", "1 -1 message", "99999 1 late"]) {
    const client = await connectAt(t, server, "/bench");
    client.ws.send(order);
    assert.equal((await client.closed).code, 1011, order);
  }
});

test("/benchmark_helper sends what is requested, and reports the size of what it receives", async (t) => {
  const server = await startServer(t, { maxPayload: "1MiB" });
  const client = await connectAt(t, server, "/benchmark_helper");
  client.ws.send("receive 70000");
  const { data, isBinary } = await client.next();
  assert.ok(isBinary && data.equals(Buffer.alloc(70_000, "a")));
  for (const [order, message, size] of [
    ["send 0", Buffer.alloc(1000, "x"), "1000"],
    ["send 1", Buffer.alloc(2000, "a"), "2000"],
  ] as const) {
    client.ws.send(order);
    client.ws.send(message);
    assert.deepEqual(await nextTexts(client, 1), [size]);
  }
  client.ws.send("send 1");
  client.ws.send("aab");
  assert.equal((await client.closed).code, 1011, "what is verified must be right");
  const other = await connectAt(t, server, "/benchmark_helper");
  other.ws.send("receive 99999999");
  assert.equal((await other.closed).code, 1011);
});

test("/origin_check accepts one Origin", async (t) => {
  const server = await startServer(t);
  for (const headers of [{}, { Origin: "http://malicious.example.com" }, { Origin: "https://example.com" }]) {
    assert.equal((await refusedAt(server, "/origin_check", { headers })).status, 403);
  }
  const client = await connectAt(t, server, "/origin_check", { headers: { Origin: "http://example.com" } });
  client.ws.send("in");
  assert.deepEqual(await nextTexts(client, 1), ["in"]);
  await connectAt(t, server, "/origin_check?origin=https%3A//b.example", {
    headers: { Origin: "https://b.example" },
  });
});
