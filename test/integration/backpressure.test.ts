import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectClient, connectSlowReader, flood, maskedFrame } from "../support/client.ts";
import { scrape, spawnServer, startServer } from "../support/echo-server.ts";
import { residentBytes } from "../support/memory.ts";
import { inTime, waitUntil } from "../support/wait.ts";

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;
const payloadBytes = 64 * kiB;
const frame = maskedFrame(2, Buffer.alloc(payloadBytes));

test("closes a reader that never reads at --max-backpressure, without affecting others", async (t) => {
  const server = await startServer(t, { maxPayload: "64KiB", maxBackpressure: "1MiB" });
  const other = await connectClient(t, server.urls.echo);
  const slow = await connectSlowReader(t, server.urls.echo);
  const flooding = flood(slow, frame, giB / payloadBytes);
  let echoes = 0;
  await waitUntil(async () => {
    other.ws.send("still here?");
    assert.equal((await other.next()).data.toString(), "still here?");
    echoes++;
    return (await server.stats())['echo_connections_terminated_total{reason="backpressure"}'] === 1;
  }, "the slow reader to be closed");
  slow.destroy();
  await flooding;
  const stats = await server.stats();
  assert.ok(echoes > 0);
  assert.equal(stats['echo_sends_total{result="dropped"}'], 1, "the one echo that did not fit");
  assert.equal(
    stats['echo_messages_sent_total{type="binary"}'],
    (stats['echo_messages_received_total{type="binary"}'] ?? 0) - 1,
  );
  assert.equal(stats["echo_buffered_bytes"], 0);
  assert.equal(stats["echo_backpressured_connections"], 0);
  assert.equal(stats['echo_connections_closed_total{code="1006"}'], 1);
  assert.equal(stats["echo_backpressure_duration_seconds_count"], 1);
});

test("never buffers more for a reader than --max-backpressure and a frame", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "512KiB",
    onBackpressure: "drop",
  });
  const slow = await connectSlowReader(t, server.urls.echo);
  const flooding = flood(slow, frame, 1024);
  await waitUntil(
    async () => ((await server.stats())['echo_sends_total{result="dropped"}'] ?? 0) > 100,
    "drops",
  );
  const stats = await server.stats();
  assert.ok(
    (stats["echo_buffered_bytes"] ?? 0) <= 512 * kiB + 64 * kiB + 10,
    `${stats["echo_buffered_bytes"]} bytes waiting`,
  );
  assert.equal(
    stats['echo_buffered_amount_bytes_bucket{le="1048576"}'],
    stats["echo_buffered_amount_bytes_count"],
  );
  slow.destroy();
  await flooding;
});

test("with --on-backpressure drop, drops what does not fit, counts it, and keeps the connection", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "256KiB",
    onBackpressure: "drop",
  });
  const slow = await connectSlowReader(t, server.urls.echo);
  const total = 512;
  await flood(slow, frame, total);
  await waitUntil(
    async () => (await server.stats())['echo_messages_received_total{type="binary"}'] === total,
    "the flood to arrive",
  );
  const stats = await server.stats();
  const dropped = stats['echo_sends_total{result="dropped"}'] ?? 0;
  assert.ok(dropped > 0);
  assert.equal(stats['echo_messages_sent_total{type="binary"}'], total - dropped);
  assert.equal(stats["echo_connections"], 1);

  // What was not dropped arrives once the reader reads: unmasked frames of 64 KiB with a head of 10 bytes.
  let received = 0;
  slow.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  slow.resume();
  await waitUntil(() => received === (total - dropped) * (64 * kiB + 10), "the echoes that were kept");
  await waitUntil(async () => (await server.stats())["echo_buffered_bytes"] === 0, "an empty buffer");
  assert.ok(((await server.stats())["echo_drains_total"] ?? 0) > 0);
});

test("closes a reader that reads no byte for --stall-timeout", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "64MiB",
    maxBuffered: "64MiB",
    stallTimeout: "500ms",
  });
  const slow = await connectSlowReader(t, server.urls.echo);
  await flood(slow, frame, 256);
  await waitUntil(
    async () => (await server.stats())['echo_connections_terminated_total{reason="stalled"}'] === 1,
    "the stalled reader to be closed",
  );
  assert.equal((await server.stats())["echo_buffered_bytes"], 0);
});

test("does not close a slow reader that continues to read", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "64MiB",
    maxBuffered: "64MiB",
    stallTimeout: "1s",
  });
  const slow = await connectSlowReader(t, server.urls.echo);
  const bytes = 24 * miB;
  await flood(slow, frame, bytes / payloadBytes);
  await waitUntil(async () => ((await server.stats())["echo_buffered_bytes"] ?? 0) > 0, "pressure");
  let received = 0;
  slow.on("data", (chunk: Buffer) => {
    received += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 2);
  });
  slow.resume();
  await waitUntil(() => received >= bytes, "all echoes");
  assert.equal((await server.stats())['echo_connections_terminated_total{reason="stalled"}'], 0);
});

/** More than the kernel buffers for one connection, so that the server always buffers the rest. */
const aheadBytes = 48 * miB;
const roomForAhead = { maxPayload: "64KiB", maxBackpressure: "128MiB", maxBuffered: "128MiB" };

/** Sends `aheadBytes` without reading, then reads steadily and sends a message for each echo. */
async function keepAhead(t: TestContext, url: string) {
  const socket = await connectSlowReader(t, url);
  await flood(socket, frame, aheadBytes / payloadBytes);
  const seen = { bytes: 0, tail: Buffer.alloc(0), isEnded: false };
  let answered = 0;
  socket.on("data", (chunk: Buffer) => {
    seen.bytes += chunk.length;
    // Slower than the server, which is in the same process.
    socket.pause();
    setTimeout(() => socket.resume(), 1);
    seen.tail = Buffer.concat([seen.tail.subarray(-32), chunk.subarray(-32)]);
    for (; answered < Math.floor(seen.bytes / payloadBytes) && !socket.destroyed; answered++) {
      socket.write(frame);
    }
  });
  socket.on("close", () => {
    seen.isEnded = true;
  });
  return { socket, seen };
}

test("does not close a reader that is always behind and never pauses", async (t) => {
  const server = await startServer(t, { ...roomForAhead, stallTimeout: "2s" });
  const { socket, seen } = await keepAhead(t, server.urls.echo);
  socket.resume();
  const until = performance.now() + 5000;
  await waitUntil(
    () => seen.isEnded || (performance.now() > until && seen.bytes > 2 * aheadBytes),
    "the reader to read for a while",
    60_000,
  );
  const stats = await server.stats();
  assert.equal(stats['echo_connections_terminated_total{reason="stalled"}'], 0);
  assert.equal(seen.isEnded, false);
  assert.equal(stats["echo_backpressure_duration_seconds_count"], 0, "it always was behind");
});

const goingAway = Buffer.from("\x88\x0c\x03\xe9going away", "latin1");

test("--max-lifetime closes a client that is always behind", async (t) => {
  const server = await startServer(t, { ...roomForAhead, maxLifetime: "1s" });
  const { socket, seen } = await keepAhead(t, server.urls.echo);
  socket.resume();
  await waitUntil(() => seen.isEnded, "the end of the connection", 30_000);
  assert.ok(seen.tail.subarray(-goingAway.length).equals(goingAway), "1001 is the last that it gets");
});

test("shutdown closes a client that is always behind", async (t) => {
  const server = await startServer(t, { ...roomForAhead, drainTimeout: "1m" });
  const { socket, seen } = await keepAhead(t, server.urls.echo);
  socket.resume();
  await waitUntil(() => seen.bytes > aheadBytes, "the client to read");
  const stopped = server.stop();
  await waitUntil(() => seen.isEnded, "the end of the connection", 30_000);
  await stopped;
  assert.ok(seen.tail.subarray(-goingAway.length).equals(goingAway), "1001 is the last that it gets");
});

test("does not close a reader because the server's process was suspended", async (t) => {
  const server = await spawnServer(t, [
    ...["--max-payload", "64KiB", "--max-backpressure", "64MiB", "--max-buffered", "64MiB"],
    ...["--stall-timeout", "2s"],
  ]);
  const slow = await connectSlowReader(t, `ws://${server.authority}/echo`);
  const bytes = 24 * miB;
  await flood(slow, frame, bytes / payloadBytes);
  let received = 0;
  slow.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  process.kill(server.pid, "SIGSTOP");
  slow.resume();
  await sleep(2500); // longer than --stall-timeout
  process.kill(server.pid, "SIGCONT");
  await waitUntil(() => received >= bytes || slow.destroyed, "all echoes");
  assert.ok(received >= bytes, `${received} of ${bytes} bytes came`);
});

test("closes the slowest reader when the process-wide cap is reached", async (t) => {
  const server = await startServer(t, {
    maxPayload: "64KiB",
    maxBackpressure: "12MiB",
    maxBuffered: "12MiB",
  });
  const stat = async (name: string): Promise<number> => (await server.stats())[name] ?? 0;
  let sent = 0;
  // The kernel's buffers vary, so each connection is written to until the server buffers this many bytes in total.
  async function fill(socket: Socket, isFull: () => Promise<boolean>): Promise<void> {
    while (!(await isFull())) {
      await flood(socket, frame, 4);
      sent += 4;
      await waitUntil(
        async () => (await stat('echo_messages_received_total{type="binary"}')) === sent,
        "the messages to arrive",
      );
    }
  }
  const first = await connectSlowReader(t, server.urls.echo);
  await fill(first, async () => (await stat("echo_buffered_bytes")) > 7 * miB);
  const second = await connectSlowReader(t, server.urls.echo);
  await fill(
    second,
    async () => (await stat('echo_connections_terminated_total{reason="buffer_cap"}')) === 1,
  );
  // The first client must read to notice the close.
  first.resume();
  await inTime(once(first, "close"), "the slowest to be closed");
  const stats = await server.stats();
  assert.equal(stats["echo_connections"], 1, "the connection with the smaller buffer stays open");
  assert.ok((stats["echo_buffered_bytes"] ?? 0) < 8 * miB);
  assert.equal(second.destroyed, false);
});

test("a client that sends 1 GiB and reads nothing uses no more memory than its limit", async (t) => {
  const server = await spawnServer(t, [
    "--max-payload",
    "64KiB",
    "--max-backpressure",
    "4MiB",
    "--on-backpressure",
    "drop",
  ]);
  const slow = await connectSlowReader(t, `ws://${server.authority}/echo`);
  const before = residentBytes(server.pid);
  const flooding = flood(slow, frame, giB / payloadBytes);
  const metrics = `http://${server.authority}/metrics`;
  let peak = 0;
  await waitUntil(
    async () => {
      peak = Math.max(peak, residentBytes(server.pid));
      return ((await scrape(metrics))['echo_received_bytes_total{type="binary"}'] ?? 0) >= giB;
    },
    "1 GiB to arrive",
    60_000,
  );
  await flooding;
  // Uncollected garbage is added to the 4 MiB that may be buffered.
  assert.ok(peak - before < 128 * miB, `grew by ${Math.round((peak - before) / miB)} MiB`);
  assert.ok(((await scrape(metrics))["echo_buffered_bytes"] ?? 0) <= 4 * miB + 64 * kiB + 10);
});
