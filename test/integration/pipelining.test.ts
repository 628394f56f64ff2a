// Requests that are pipelined on one connection, by clients that read their answers and by those that do not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnConfined } from "../support/cgroup.ts";
import { scrape, spawnServer } from "../support/echo-server.ts";
import { residentBytes } from "../support/memory.ts";
import { connectRaw } from "../support/raw-socket.ts";
import { originOf, schemeArgs, schemes, spawnOver } from "../support/schemes.ts";
import { waitUntil } from "../support/wait.ts";

const miB = 1024 * 1024;
const request = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

for (const [method, path, scheme] of [
  ["GET", "/", "http"],
  ["GET", "/", "https"],
  ["GET", "/nothing", "http"],
  ["GET", "/inspect", "https"],
  ["GET", "/livez", "http"],
  ["HEAD", "/", "http"],
  ["GET", "/echo", "http"],
] as const) {
  test(`${method} ${path}, asked for without end over ${scheme} and never read, takes no memory`, async (t) => {
    const server = originOf(t, scheme, await spawnConfined(t, 256 * miB, await schemeArgs(t, scheme)));
    const live = server.metrics.replace(/metrics$/, "livez");
    const first = await server.dial();
    first.write(request(method, path));
    await once(first.resume(), "data");
    const before = residentBytes(server.pid);
    let peak = before;
    const flood = Buffer.from(request(method, path).repeat(3000));
    const clients = await Promise.all(Array.from({ length: 4 }, server.dial));
    for (const socket of clients) {
      for (let i = 0; i < 60; i++) {
        socket.write(flood);
      }
    }
    const until = performance.now() + 3000;
    await waitUntil(async () => {
      peak = Math.max(peak, residentBytes(server.pid));
      assert.equal((await fetch(live)).status, 200);
      return performance.now() > until || clients.every((socket) => socket.destroyed);
    }, "the flood to end");
    assert.ok(peak - before < 50 * miB, `grew by ${Math.round((peak - before) / miB)} MiB`);
  });
}

test("a hundred pipelined requests are answered in order, whole, to a client that reads", async (t) => {
  const server = await spawnServer(t);
  const raw = await connectRaw(t, server.authority);
  const paths = ["/livez", "/readyz", "/inspect"];
  for (let round = 0; round < 10; round++) {
    const asked = Array.from({ length: 10 }, (_, i) => paths[i % paths.length] as string);
    await raw.send(asked.map((path) => request("GET", path)).join(""));
    for (const path of asked) {
      const head = await raw.readHead();
      assert.equal(head.status, 200);
      const body = await raw.read(Number(head.headers["content-length"]));
      assert.match(body.toString(), path === "/inspect" ? /"path": "\/inspect"/ : /^ok\n$/);
    }
  }
});

for (const scheme of schemes) {
  test(`a slow reader gets the whole page, over ${scheme}`, async (t) => {
    const server = await spawnOver(t, scheme);
    const whole = readFileSync(new URL("../../dist/web/page.html", import.meta.url));
    // Many, so that the kernel does not take all of it at once for each.
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await server.dial();
        socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        const pieces: Buffer[] = [];
        for await (const piece of socket) {
          pieces.push(piece as Buffer);
          await sleep(2);
        }
        return Buffer.concat(pieces);
      }),
    );
    for (const answer of answers) {
      assert.ok(answer.subarray(answer.indexOf("\r\n\r\n") + 4).equals(whole));
    }
  });
}

for (const scheme of schemes) {
  test(`an answer that is not taken is counted, and so is its end, over ${scheme}`, async (t) => {
    const { dial, metrics } = await spawnOver(t, scheme);
    const sockets = await Promise.all(Array.from({ length: 4 }, dial));
    for (const socket of sockets) {
      // Enough for the kernel's buffers, and a little more.
      for (let i = 0; i < 200; i++) {
        setTimeout(() => socket.writable && socket.write(request("GET", "/")), i * 10);
      }
    }
    await waitUntil(
      async () => ((await scrape(metrics))["echo_http_answers_aborted_total"] ?? 0) >= sockets.length,
      "the answers to be given up",
      30_000,
    );
    assert.equal((await scrape(metrics))["echo_http_answers_waiting"], 0);
  });
}

test("a 304 has no content type", async (t) => {
  const server = await spawnServer(t);
  const { headers } = await fetch(`http://${server.authority}/`);
  const again = await fetch(`http://${server.authority}/`, {
    headers: { "if-none-match": headers.get("etag") ?? "" },
  });
  assert.equal(again.status, 304);
  assert.equal(again.headers.get("content-type"), null);
});
