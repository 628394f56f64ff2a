// Clients that complete the handshake and then misbehave. Each has a defined outcome, and the server continues to serve.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { closing, fragments, frame, opcode, openRaw } from "../support/raw-socket.ts";
import { type Survivor, spawnSurvivor } from "../support/survivor.ts";
import { waitUntil } from "../support/wait.ts";

const { continuation, text, binary, close, ping } = opcode;
const miB = 1024 * 1024;
const maxPayload = miB;
const dropped = 'echo_connections_closed_total{code="1006"}';

const cleanups: (() => unknown)[] = [];
let server: Survivor;
before(async () => {
  const t = { after: (action: () => unknown) => cleanups.push(action) };
  const limits = ["--max-payload", "1MiB", "--max-backpressure", "1MiB", "--stall-timeout", "1s"];
  server = await spawnSurvivor(t, [...limits, "--compression", "shared", "--log-level", "info"]);
});
after(async () => {
  for (const cleanup of cleanups) {
    await cleanup();
  }
});

/** A mebibyte of zeros in a kibibyte, as blocks that can be repeated. */
const zeros = deflateRawSync(Buffer.alloc(miB), { finishFlush: constants.Z_FULL_FLUSH });
const bomb = Buffer.concat(Array.from({ length: 900 }, () => zeros)).subarray(0, -4);

const attacks: Record<string, Buffer[]> = {
  "text that is not UTF-8": [frame(text, Buffer.from("ceba80ff", "hex"))],
  "a message that is too large": [frame(binary, Buffer.alloc(maxPayload + 1))],
  "a message that claims to be of an exabyte": [frame(binary, "x", { claimedBytes: 10n ** 18n })],
  "a message that grows too large by fragments": Array.from({ length: 40 }, (_, i) =>
    frame(i === 0 ? binary : continuation, Buffer.alloc(32 * 1024), { isFinal: false }),
  ),
  "900 MiB of zeros in a compressed message of 900 KiB": [frame(binary, bomb, { reserved: 4 })],
  "unmasked frames": Array.from({ length: 1000 }, () => frame(text, "no mask here", { isMasked: false })),
  "a frame that a server would send": [frame(text, "hello", { isMasked: false }), Buffer.alloc(100, 0x81)],
  "a new message amid another": [frame(binary, "a", { isFinal: false }), frame(text, "b")],
  "HTTP after the handshake": [Buffer.from("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20))],
  "one byte, many times": [Buffer.alloc(100_000, 0x7f)],
};

for (const [name, frames] of Object.entries(attacks)) {
  test(`drops ${name}`, async (t) => {
    await server.assertIdle();
    const before = (await server.scrape())[dropped] ?? 0;
    const raw = await openRaw(t, server.authority, { "Sec-WebSocket-Extensions": "permessage-deflate" });
    await raw.send(Buffer.concat(frames));
    assert.deepEqual(await raw.ended(), Buffer.alloc(0), "nothing was sent back");
    await waitUntil(async () => (await server.scrape())[dropped] === before + 1, "it is counted");
    await server.assertAlive();
  });
}

test("inflates no more of a compressed bomb than the largest message", async (t) => {
  const before = server.peakRssBytes();
  for (let i = 0; i < 10; i++) {
    const raw = await openRaw(t, server.authority, { "Sec-WebSocket-Extensions": "permessage-deflate" });
    await raw.send(frame(binary, bomb, { reserved: 4 }));
    await raw.ended();
  }
  const grownBytes = server.peakRssBytes() - before;
  assert.ok(grownBytes < 100 * miB, `${Math.round(grownBytes / miB)} MiB more`);
  await server.assertAlive();
});

test("forgets connections that are reset in the middle of a frame", async (t) => {
  const half = frame(binary, Buffer.alloc(1000), { claimedBytes: maxPayload });
  const starts = [half, half.subarray(0, 1), half.subarray(0, 5), frame(text, "a", { isFinal: false })];
  const raws = await Promise.all(Array.from({ length: 100 }, () => openRaw(t, server.authority)));
  await Promise.all(raws.map((raw, i) => raw.send(starts[i % starts.length] ?? half)));
  for (const { socket } of raws) {
    socket.resetAndDestroy();
  }
  await server.assertAlive();
});

test("forgets connections that are reset while their echoes are under way", async (t) => {
  const raws = await Promise.all(Array.from({ length: 20 }, () => openRaw(t, server.authority)));
  const message = frame(binary, randomBytes(100_000));
  await Promise.all(raws.map((raw) => raw.send(Buffer.concat([message, message, message]))));
  for (const { socket } of raws) {
    socket.resetAndDestroy();
  }
  await server.assertAlive();
});

test("echoes to a client that has closed its half, or ends the connection, but never leaves it open", async (t) => {
  const raw = await openRaw(t, server.authority);
  await raw.send(frame(text, "my last words"));
  raw.socket.end();
  const rest = await raw.ended();
  if (rest.length > 0) {
    assert.equal(rest.subarray(2).toString(), "my last words");
  }
  await server.assertAlive();
});

test("ends a connection whose client closes its half in the middle of a frame", async (t) => {
  const raw = await openRaw(t, server.authority);
  await raw.send(frame(text, "half of it", { claimedBytes: 100 }));
  raw.socket.end();
  assert.deepEqual(await raw.ended(), Buffer.alloc(0));
  await server.assertAlive();
});

test("ends the TCP connection after a close even if the client does not", async (t) => {
  const raw = await openRaw(t, server.authority);
  await raw.send(frame(close, closing(1000)));
  assert.deepEqual((await raw.readFrame()).payload, closing(1000));
  await raw.ended();
  await server.assertAlive();
});

test("takes endless empty fragments without growing", async (t) => {
  const raw = await openRaw(t, server.authority);
  await raw.send(frame(text, "", { isFinal: false }));
  const before = server.peakRssBytes();
  const many = Buffer.concat(
    Array.from({ length: 50_000 }, () => frame(continuation, "", { isFinal: false })),
  );
  for (let i = 0; i < 10; i++) {
    await raw.send(many);
    await raw.send(frame(ping, `${i}`));
    assert.equal((await raw.readFrame()).payload.toString(), `${i}`);
  }
  const grownBytes = server.peakRssBytes() - before;
  assert.ok(grownBytes < 20 * miB, `${Math.round(grownBytes / miB)} MiB more`);
  await raw.send(frame(continuation, "the end"));
  assert.equal((await raw.readFrame()).payload.toString(), "the end");
  raw.socket.destroy();
  await server.assertAlive();
});

test("a flood of pings from clients that read no pong is held to the limits of backpressure", async (t) => {
  const before = server.peakRssBytes();
  const pings = Buffer.concat(Array.from({ length: 8000 }, () => frame(ping, "x".repeat(125))));
  const raws = await Promise.all(Array.from({ length: 10 }, () => openRaw(t, server.authority)));
  for (const { socket } of raws) {
    socket.pause();
    for (let i = 0; i < 20; i++) {
      socket.write(pings);
    }
  }
  // They are seen as slow readers, and ended as such.
  const stalled = 'echo_connections_terminated_total{reason="stalled"}';
  await waitUntil(async () => (await server.scrape())[stalled] === raws.length, "all have been ended");
  const grownBytes = server.peakRssBytes() - before;
  assert.ok(grownBytes < 60 * miB, `${Math.round(grownBytes / miB)} MiB more`);
  await server.assertAlive();
});

test("many hostile connections at once do not keep a good one from its echoes", async (t) => {
  const good = await openRaw(t, server.authority);
  const kinds = Object.values(attacks);
  const hostile = Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const raw = await openRaw(t, server.authority, { "Sec-WebSocket-Extensions": "permessage-deflate" });
      await raw.send(Buffer.concat(kinds[i % kinds.length] ?? []));
      await raw.ended();
    }),
  );
  for (let i = 0; i < 200; i++) {
    await good.send(Buffer.concat(fragments(text, `message ${i}`, [3, 5])));
    assert.equal((await good.readFrame()).payload.toString(), `message ${i}`);
  }
  await hostile;
  good.socket.destroy();
  await once(good.socket, "close");
  await server.assertAlive();
});

test("after all of that, the server still shuts down normally", async () => {
  assert.equal(await server.stop(), 0);
});
