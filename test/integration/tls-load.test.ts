import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { request } from "node:https";
import { test } from "node:test";
import { WebSocket } from "ws";
import { type SecureServer, startSecureServer } from "../support/secure.ts";
import { inTime } from "../support/wait.ts";

const kiB = 1024;
const longMs = 60_000;

/** Keeps `depth` messages in flight until `count` echoes have arrived, and compares each with its message. */
async function exchange(
  { server, ca }: SecureServer,
  bytes: number,
  depth: number,
  count: number,
): Promise<void> {
  const ws = new WebSocket(server.urls.echo, { ca, perMessageDeflate: false });
  const message = randomBytes(bytes);
  let sent = 0;
  let received = 0;
  const finished = new Promise<void>((resolve, reject) => {
    ws.on("open", () => {
      for (; sent < depth; sent++) {
        ws.send(message);
      }
    });
    ws.on("message", (echo: Buffer) => {
      received++;
      if (!echo.equals(message)) {
        reject(new Error(`echo ${received} differs`));
      }
      if (sent < count) {
        sent++;
        ws.send(message);
      }
      if (received === count) {
        resolve();
      }
    });
    ws.on("close", (code) => reject(new Error(`closed with ${code} after ${received} of ${count} echoes`)));
    ws.on("error", reject);
  });
  try {
    await inTime(finished, `${count} echoes`, longMs);
  } finally {
    ws.terminate();
  }
}

for (const [name, bytes, depth, count] of [
  ["64 KiB x 12", 64 * kiB, 12, 400],
  ["1 MiB x 4", 1024 * kiB, 4, 40],
  ["1000 B x 1000", 1000, 1000, 5000],
  ["4 MiB x 3", 4096 * kiB, 3, 12],
] as const) {
  test(`echoes ${name} in flight over TLS`, async (t) => {
    await exchange(await startSecureServer(t), bytes, depth, count);
  });
}

test("returns a POST of 5 MB over https", async (t) => {
  const { server, ca } = await startSecureServer(t);
  const body = randomBytes(5_000_000);
  const echo = await inTime(
    new Promise<Buffer>((resolve, reject) => {
      const upload = request(server.urls.httpEcho, { method: "POST", ca, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks)));
        response.on("error", reject);
      });
      upload.on("error", reject).end(body);
    }),
    "the body",
    longMs,
  );
  assert.ok(echo.equals(body), `${echo.length} bytes came back`);
});

test("does not count bytes as buffered that the client has read", async (t) => {
  const secure = await startSecureServer(t);
  let most = 0;
  const timer = setInterval(() => {
    void secure.server.stats().then((stats) => {
      most = Math.max(most, stats["echo_buffered_bytes"] ?? 0);
    });
  }, 20);
  t.after(() => clearInterval(timer));
  await exchange(secure, 1024 * kiB, 12, 100);
  assert.ok(most <= 13 * 1024 * kiB, `${most} bytes were counted with 12 MiB in flight`);
  assert.equal((await secure.server.stats())['echo_connections_terminated_total{reason="backpressure"}'], 0);
});
