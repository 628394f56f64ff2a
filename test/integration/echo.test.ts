import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { connectClient } from "../support/client.ts";
import { startServer } from "../support/echo-server.ts";

test("text stays text and binary stays binary, byte for byte, from 0 bytes to the largest message", async (t) => {
  const server = await startServer(t, { maxPayload: "1MiB" });
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (const bytes of [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_048_576]) {
    const binary = randomBytes(bytes);
    ws.send(binary);
    assert.deepEqual(await next(), { data: binary, isBinary: true }, `${bytes} bytes of binary`);
    const text = Buffer.from("é".repeat(bytes / 2) + (bytes % 2 === 0 ? "" : "e"));
    ws.send(text.toString());
    assert.deepEqual(await next(), { data: text, isBinary: false }, `${bytes} bytes of text`);
  }
});

test("a message of many fragments comes back as one", async (t) => {
  const server = await startServer(t);
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 50; i++) {
    ws.send(`part ${i} `, { fin: i === 49 });
  }
  const { data, isBinary } = await next();
  assert.equal(data.toString(), Array.from({ length: 50 }, (_, i) => `part ${i} `).join(""));
  assert.equal(isBinary, false);
});

test("ten thousand messages in flight come back in order", async (t) => {
  const server = await startServer(t);
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 10_000; i++) {
    ws.send(`message ${i}`);
  }
  for (let i = 0; i < 10_000; i++) {
    assert.equal((await next()).data.toString(), `message ${i}`);
  }
});

test("the first of our sub-protocols that the client offers is chosen", async (t) => {
  const server = await startServer(t, { subprotocols: ["mqtt", "stomp"] });
  const both = await connectClient(t, server.urls.echo, { subprotocols: ["stomp", "mqtt", "wamp"] });
  assert.equal(both.ws.protocol, "mqtt");
  const none = await connectClient(t, server.urls.echo);
  assert.equal(none.ws.protocol, "");
});

test("without a configured sub-protocol, the client's first offer is chosen", async (t) => {
  const server = await startServer(t);
  const { ws } = await connectClient(t, server.urls.echo, { subprotocols: ["wamp", "stomp"] });
  assert.equal(ws.protocol, "wamp");
});

for (const compression of ["shared", "dedicated"] as const) {
  test(`compresses replies from the smallest size on with a ${compression} compressor`, async (t) => {
    const server = await startServer(t, { compression, compressionMinSize: 1000 });
    const { ws, next } = await connectClient(t, server.urls.echo, { perMessageDeflate: { threshold: 0 } });
    assert.match(ws.extensions, /^permessage-deflate/);
    const firstBytes: number[] = [];
    // @ts-expect-error the socket is private in the typings, and the only way to see the frames
    ws._socket.on("data", (chunk: Buffer) => firstBytes.push(chunk[0] ?? 0));
    for (const bytes of [10, 999, 1000, 100_000]) {
      const text = "compressible ".repeat(Math.ceil(bytes / 13)).slice(0, bytes);
      ws.send(text);
      assert.equal((await next()).data.toString(), text);
    }
    // The first bit after FIN is RSV1, which marks a compressed message (RFC 7692, section 6).
    assert.deepEqual(
      firstBytes.map((byte) => (byte & 0x40) !== 0),
      [false, false, true, true],
    );
  });
}

test("does not agree to compression when it is off", async (t) => {
  const server = await startServer(t);
  const { ws } = await connectClient(t, server.urls.echo, { perMessageDeflate: true });
  assert.equal(ws.extensions, "");
});

test("with --goodbye, echoes the text Goodbye and closes with 1000", async (t) => {
  const server = await startServer(t, { goodbye: true });
  const { ws, next, closed } = await connectClient(t, server.urls.echo);
  ws.send(Buffer.from("Goodbye"));
  assert.equal((await next()).isBinary, true, "a binary message is not a farewell");
  ws.send("Goodbye!");
  assert.equal((await next()).data.toString(), "Goodbye!");
  ws.send("Goodbye");
  assert.equal((await next()).data.toString(), "Goodbye");
  assert.deepEqual(await closed, { code: 1000, reason: "" }, "pywebsocket gives no reason");
});

test("without --goodbye, Goodbye is a message like any other", async (t) => {
  const server = await startServer(t);
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (const text of ["Goodbye", "still here"]) {
    ws.send(text);
    assert.equal((await next()).data.toString(), text);
  }
});

test("answers a ping with its payload, and a close with its code", async (t) => {
  const server = await startServer(t);
  const { ws, closed } = await connectClient(t, server.urls.echo);
  const pong = new Promise<Buffer>((resolve) => ws.once("pong", resolve));
  ws.ping("are you there");
  assert.equal((await pong).toString(), "are you there");
  ws.close(1000, "done");
  assert.equal((await closed).code, 1000);
});

test("pings a silent connection before its idle timeout, and keeps it while it answers", async (t) => {
  const server = await startServer(t, { idleTimeout: "8s" });
  const { ws, next } = await connectClient(t, server.urls.echo);
  await new Promise((resolve) => ws.once("ping", resolve));
  ws.send("alive");
  assert.equal((await next()).data.toString(), "alive");
});

test("closes a connection with 1001 at the end of its lifetime", async (t) => {
  const server = await startServer(t, { maxLifetime: "200ms" });
  const { closed } = await connectClient(t, server.urls.echo);
  assert.equal((await closed).code, 1001);
  assert.equal((await server.stats())['echo_connections_terminated_total{reason="lifetime"}'], 1);
});
