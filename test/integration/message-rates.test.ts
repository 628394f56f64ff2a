import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { connectClient } from "../support/client.ts";
import { startServer } from "../support/echo-server.ts";
import { frame, opcode, openRaw } from "../support/raw-socket.ts";

test("over --max-message-rate a connection is closed with 1008 after its outstanding echoes", async (t) => {
  const server = await startServer(t, { maxMessageRate: 50 });
  const { ws, closed, next, pending } = await connectClient(t, server.urls.echo);
  const other = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 500; i++) {
    ws.send(String(i));
  }
  assert.deepEqual(await closed, { code: 1008, reason: "too fast" });
  assert.ok(pending() >= 50 && pending() < 500, `${pending()} echoes`);
  for (let i = 0; pending() > 0; i++) {
    assert.equal((await next()).data.toString(), String(i));
  }
  other.ws.send("still here");
  assert.equal((await other.next()).data.toString(), "still here");
  const stats = await server.stats();
  assert.equal(stats['echo_connections_terminated_total{reason="message_rate"}'], 1);
  assert.equal(stats["echo_limit_messages_per_second"], 50);
});

test("--max-receive-rate counts bytes after decompression, and lets one message of any size pass", async (t) => {
  const server = await startServer(t, {
    maxReceiveRate: "1MiB",
    maxPayload: "4MiB",
    compression: "shared",
  });
  const { hostname, port } = new URL(server.urls.echo);
  const raw = await openRaw(t, `${hostname}:${port}`, { "Sec-WebSocket-Extensions": "permessage-deflate" });
  // 4 MiB of zeros in some 4 kB (RFC 7692, section 7.2.1: without the last four bytes of a sync flush).
  const bomb = deflateRawSync(Buffer.alloc(4 * 1024 * 1024), { finishFlush: 2 }).subarray(0, -4);
  await raw.send(frame(opcode.binary, bomb, { reserved: 4 }));
  assert.equal((await raw.readFrame()).opcode, opcode.binary);
  await raw.send(frame(opcode.binary, bomb, { reserved: 4 }));
  const close = await raw.readFrame();
  assert.equal(close.opcode, opcode.close);
  assert.equal(close.payload.readUInt16BE(), 1008);
  const stats = await server.stats();
  assert.equal(stats['echo_connections_terminated_total{reason="receive_rate"}'], 1);
});

test("a client within its rates is served without a time limit", async (t) => {
  const server = await startServer(t, { maxMessageRate: 1_000_000, maxReceiveRate: "1GiB" });
  const { ws, next } = await connectClient(t, server.urls.echo);
  for (let i = 0; i < 500; i++) {
    ws.send(Buffer.alloc(1000));
    await next();
  }
});
