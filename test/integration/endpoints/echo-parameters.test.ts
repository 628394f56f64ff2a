// /echo with parameters, over the wire.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../../support/echo-server.ts";
import { authorityOf, connectAt, nextTexts, openRawAt, refusedAt } from "../../support/on-demand.ts";
import { closing, connectRaw, frame, handshake, opcode } from "../../support/raw-socket.ts";
import { waitUntil } from "../../support/wait.ts";

test("unknown parameters leave /echo unchanged", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/echo?session=1&utm_source=x");
  client.ws.send("plain");
  assert.deepEqual(await nextTexts(client, 1), ["plain"]);
  assert.equal((await server.stats())['echo_endpoint_connections{endpoint="echo"}'], 0);
});

test("a header shows the parsed parameters, and the connection is counted under its endpoint", async (t) => {
  const server = await startServer(t, { instance: "here" });
  const raw = await openRawAt(t, server, "/echo?x=1&jitter=0.01s&delay=100ms&reason=a%20b&close_in=1h");
  assert.equal(
    raw.head.headers["uws-echo-understood"],
    "/echo?delay=100ms&jitter=10ms&close_in=1h&reason=a%20b",
  );
  assert.equal(raw.head.headers["uws-echo-instance"], "here");
  assert.equal((await server.stats())['echo_endpoint_connections{endpoint="echo"}'], 1);
  raw.socket.destroy();
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="echo"}'] === 0,
    "the connection to be forgotten",
  );
});

test("invalid parameters are refused with every problem at once, and counted", async (t) => {
  const server = await startServer(t, { endpointsMaxDelay: "2s" });
  const { status, body } = await refusedAt(server, "/echo?delay=3s&jitter=1s&rate=1&rate=2&code=1005&x=1");
  assert.equal(status, 400);
  assert.equal(
    body,
    "/echo: invalid parameters:\n" +
      '  delay "3s": expected a duration from 0 to 2s, such as 100ms\n' +
      '  rate "1": expected a size from 1KiB to 64MiB per second, such as 64KiB\n' +
      "  rate: given more than once\n" +
      '  code "1005": expected 1000 to 1003, 1007 to 1014, 3000 to 4999, or none for an empty close frame\n' +
      "  code: needs close_after or close_in\n",
  );
  const stats = await server.stats();
  assert.equal(stats['echo_upgrades_rejected_total{reason="bad_parameter"}'], 1);
  assert.equal(stats["echo_connections_opened_total"], 0);
});

test("holds each reply for the delay, in order, and counts it meanwhile", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/echo?delay=300ms&jitter=100ms");
  const sentAt = performance.now();
  const texts = Array.from({ length: 50 }, (_, i) => String(i));
  for (const text of texts) {
    client.ws.send(text);
  }
  await waitUntil(async () => (await server.stats())["echo_delayed_messages"] === 50, "50 held replies");
  assert.ok(((await server.stats())["echo_delayed_bytes"] ?? 0) > 50 * 128);
  assert.deepEqual(await nextTexts(client, 50), texts);
  assert.ok(performance.now() - sentAt >= 200, "no reply came before its time");
  const stats = await server.stats();
  assert.equal(stats["echo_delayed_messages"], 0);
  assert.equal(stats["echo_delayed_bytes"], 0);
  assert.equal(stats["echo_buffered_bytes"], 0);
  assert.equal(stats['echo_messages_sent_total{type="text"}'], 50);
});

test("at a rate, replies take as long as a link of that rate", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/echo?rate=100KiB/s");
  const sentAt = performance.now();
  for (let i = 0; i < 4; i++) {
    client.ws.send(Buffer.alloc(10 * 1024, i));
  }
  for (let i = 0; i < 4; i++) {
    assert.equal((await client.next()).data[0], i);
  }
  assert.ok(performance.now() - sentAt >= 395);
});

test("sends replies in fragments, uncompressed, and pings between them are answered", async (t) => {
  const server = await startServer(t, { compression: "shared", compressionMinSize: 0 });
  const raw = await openRawAt(t, server, "/echo?fragment=4&fragment_delay=20ms", {
    "Sec-WebSocket-Extensions": "permessage-deflate",
  });
  await raw.send(frame(opcode.text, "0123456789"));
  const first = await raw.readFrame();
  await raw.send(frame(opcode.ping, "between"));
  const rest = [await raw.readFrame(), await raw.readFrame(), await raw.readFrame()];
  const data = [first, ...rest].filter((each) => each.opcode !== opcode.pong);
  assert.deepEqual(
    data.map(({ opcode: code, payload, isFinal, reserved }) => [code, payload.toString(), isFinal, reserved]),
    [
      [opcode.text, "0123", false, 0],
      [opcode.continuation, "4567", false, 0],
      [opcode.continuation, "89", true, 0],
    ],
  );
  assert.equal(rest.find((each) => each.opcode === opcode.pong)?.payload.toString(), "between");
  assert.equal((await server.stats())["echo_fragments_sent_total"], 3);
});

for (const [query, code, reason] of [
  ["close_after=2", 1000, ""],
  ["close_after=2&code=4001&reason=bye%20%C3%A9", 4001, "bye é"],
  ["close_after=2&code=1012", 1012, ""],
  ["close_after=2&code=none", 1005, ""],
  ["close_after=2&fragment=1&delay=20ms", 1000, ""],
  ["close_after=2&abrupt", 1006, ""],
] as const) {
  test(`${query} closes after two replies, with ${code}`, async (t) => {
    const server = await startServer(t, { compression: "shared", compressionMinSize: 0 });
    const client = await connectAt(t, server, `/echo?${query}`, { perMessageDeflate: { threshold: 0 } });
    for (const text of ["one", "two", "three"]) {
      client.ws.send(text);
    }
    assert.deepEqual(await client.closed, { code, reason });
    assert.deepEqual(await nextTexts(client, 2), ["one", "two"]);
    assert.equal(client.pending(), 0);
    const stats = await server.stats();
    assert.equal(stats['echo_connections_terminated_total{reason="asked"}'], 1);
    assert.equal(stats['echo_messages_sent_total{type="text"}'], 2);
  });
}

test("close_in closes at its time, after held echoes", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/echo?delay=10s&close_in=300ms&code=4000");
  client.ws.send("held");
  assert.deepEqual(await client.closed, { code: 4000, reason: "" });
  assert.deepEqual(await nextTexts(client, 1), ["held"]);
});

test("abrupt ends the TCP connection without a close frame", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/echo?close_after=1&abrupt");
  await raw.send(frame(opcode.text, "last"));
  assert.deepEqual(await raw.ended(), frame(opcode.text, "last", { isMasked: false }));
});

test("handshake_delay answers late, counts as a connection meanwhile, and stops counting when the client leaves", async (t) => {
  const server = await startServer(t, { maxConnections: 1 });
  const held = async (): Promise<number | undefined> =>
    (await server.stats())['echo_endpoint_connections{endpoint="echo"}'];
  const raw = await connectRaw(t, authorityOf(server));
  await raw.send(handshake({}, "GET /echo?handshake_delay=10s HTTP/1.1"));
  await waitUntil(async () => (await held()) === 1, "the handshake to be held");
  assert.equal((await refusedAt(server, "/echo")).status, 503);
  raw.socket.destroy();
  await waitUntil(async () => (await held()) === 0, "the place to be given back");
  const startedAt = performance.now();
  const patient = await connectAt(t, server, "/echo?handshake_delay=100ms");
  assert.ok(performance.now() - startedAt >= 100);
  patient.ws.send("in");
  assert.deepEqual(await nextTexts(patient, 1), ["in"]);
});

test("a handshake that is held when the server drains is refused at its time", async (t) => {
  const server = await startServer(t, { drainTimeout: "1m" });
  const last = await connectAt(t, server, "/echo?greet=hello");
  last.ws.pause(); // keeps the server draining
  const answer = refusedAt(server, "/echo?handshake_delay=500ms");
  await waitUntil(
    async () => (await server.stats())['echo_endpoint_connections{endpoint="echo"}'] === 2,
    "the handshake to be held",
  );
  const stopped = server.stop();
  const outcome = await answer.catch(() => ({ status: 0 }));
  assert.ok([0, 503].includes(outcome.status), `${outcome.status}`);
  last.ws.terminate();
  await stopped;
});

test("protocol answers with exactly that sub-protocol, and none with none", async (t) => {
  const server = await startServer(t);
  const offer = { "Sec-WebSocket-Protocol": "a, b" };
  const of = async (path: string): Promise<string | undefined> =>
    (await openRawAt(t, server, path, offer)).head.headers["sec-websocket-protocol"];
  assert.equal(await of("/echo?protocol=b"), "b");
  assert.equal(await of("/echo?protocol=unoffered"), "unoffered");
  assert.equal(await of("/echo?protocol=none"), undefined);
  assert.equal(await of("/echo?delay=1ms"), "a");
});

test("compression=off declines permessage-deflate", async (t) => {
  const server = await startServer(t, { compression: "shared" });
  const offer = { "Sec-WebSocket-Extensions": "permessage-deflate" };
  const of = async (path: string): Promise<string | undefined> =>
    (await openRawAt(t, server, path, offer)).head.headers["sec-websocket-extensions"];
  assert.equal(await of("/echo?compression=off"), undefined);
  assert.match((await of("/echo?delay=1ms")) ?? "", /^permessage-deflate/);
});

test("greet comes first: who serves, the handshake, or a text", async (t) => {
  const server = await startServer(t, { instance: "pod-7" });
  const greeted = async (greet: string): Promise<string> => {
    const client = await connectAt(t, server, `/echo?greet=${greet}`);
    client.ws.send("echo");
    const [greeting = "", echo] = await nextTexts(client, 2);
    assert.equal(echo, "echo");
    return greeting;
  };
  assert.equal(await greeted("instance"), "pod-7");
  assert.equal(await greeted("Hello%20you"), "Hello you");
  assert.equal(JSON.parse(await greeted("inspect")).path, "/echo");
  const stats = await server.stats();
  assert.equal(stats['echo_messages_pushed_total{endpoint="echo"}'], 3);
  assert.equal(stats['echo_messages_sent_total{type="text"}'], 3, "a greeting is no echo");
});

test("ping sends pings, and their round trips are counted", async (t) => {
  const server = await startServer(t);
  const client = await connectAt(t, server, "/echo?ping=100ms");
  let pings = 0;
  client.ws.on("ping", () => pings++);
  await waitUntil(() => pings >= 2, "two pings");
  await waitUntil(
    async () => ((await server.stats())["echo_ping_rtt_seconds_count"] ?? 0) >= 2,
    "two round trips",
  );
});

test("answers a client's close, and drops and counts its held echoes", async (t) => {
  const server = await startServer(t);
  const raw = await openRawAt(t, server, "/echo?delay=10s");
  await raw.send(Buffer.concat([frame(opcode.text, "a"), frame(opcode.binary, "bc")]));
  await waitUntil(async () => (await server.stats())["echo_delayed_messages"] === 2, "two held replies");
  await raw.send(frame(opcode.close, closing(4002, "enough")));
  const answer = await raw.readFrame();
  assert.deepEqual([answer.opcode, answer.payload], [opcode.close, closing(4002, "enough")]);
  await waitUntil(async () => (await server.stats())["echo_delayed_messages"] === 0, "nothing held");
  const stats = await server.stats();
  assert.equal(stats["echo_delayed_dropped_total"], 2);
  assert.equal(stats['echo_messages_sent_total{type="text"}'], 0);
  assert.equal(stats['echo_sends_total{result="dropped"}'], 2);
  assert.equal(stats["echo_buffered_bytes"], 0);
});

test("when the server stops, every held reply goes out at once, and then 1001", async (t) => {
  const server = await startServer(t, { drainTimeout: "1m" });
  const client = await connectAt(t, server, "/echo?delay=10s&rate=1KiB&fragment=100&fragment_delay=1s");
  const texts = Array.from({ length: 100 }, (_, i) => `${i} ${"x".repeat(1000)}`);
  for (const text of texts) {
    client.ws.send(text);
  }
  await waitUntil(async () => (await server.stats())["echo_delayed_messages"] === 100, "100 held replies");
  const stopped = server.stop();
  assert.equal((await client.closed).code, 1001);
  assert.deepEqual(await nextTexts(client, 100), texts);
  await stopped;
});
