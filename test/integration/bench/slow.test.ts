import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import { WebSocketServer } from "ws";
import { type SlowReport, slowSchema } from "../../../bench/result/slow.ts";
import { spawnServer } from "../../support/echo-server.ts";
import { harnessPath } from "../../support/harness.ts";

/** Four of forty clients read nothing of 200 messages of 64 KiB per second, for two seconds. */
async function slow(url: string, args: readonly string[]): Promise<SlowReport> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...[
        harnessPath,
        "slow",
        url,
        "-c",
        "40",
        "--readers",
        "10%",
        "-r",
        "200",
        "--before",
        "1s",
        "-d",
        "2s",
      ],
      ...["--reader-rate", "400", "--reader-payload", "64KiB", "--json", ...args],
    ],
    { timeout: 60_000, maxBuffer: 2 ** 26 },
  );
  return slowSchema.parse(JSON.parse(stdout));
}

test("our own server closes slow readers, and others lose nothing", async (t) => {
  const limits = ["--max-payload", "256KiB", "--max-backpressure", "1MiB"];
  const { authority, pid } = await spawnServer(t, limits);
  const report = await slow(`ws://${authority}/echo`, ["--pid", String(pid)]);
  assert.deepEqual(report.failures, []);
  assert.equal(report.readers.connections, 4);
  assert.ok(report.reactions.includes("closes"), JSON.stringify(report.reactions));
  assert.equal(report.readers.closed, 4);
  assert.ok(report.during.neighbours.answered > 0);
});

test("recognizes a server that buffers everything unread", async (t) => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) =>
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  t.after(() => {
    for (const socket of server.clients) {
      socket.terminate();
    }
    server.close();
  });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const report = await slow(`ws://127.0.0.1:${port}/`, ["--pid", String(process.pid)]);
  assert.deepEqual(report.failures, []);
  assert.ok(report.reactions.includes("buffers"), JSON.stringify([report.reactions, report.readers]));
  assert.equal(report.readers.closed, 0);
  assert.ok((report.absorbedBytes ?? 0) > 0, "connections stay, so samples show what the kernel holds");
});
