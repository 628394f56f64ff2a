import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { scrape, spawnServer } from "../support/echo-server.ts";
import { residentBytes } from "../support/memory.ts";
import { waitUntil } from "../support/wait.ts";

const miB = 1024 * 1024;

for (const workers of [1, 2]) {
  test(`1,000 scrapes at once take little memory and CPU time, with ${workers} worker(s)`, async (t) => {
    const server = await spawnServer(t, ["--workers", String(workers)]);
    const metrics = `http://${server.authority}/metrics`;
    const cpuSeconds = async (): Promise<number> => (await scrape(metrics))["process_cpu_seconds_total"] ?? 0;
    const before = residentBytes(server.pid);
    const cpuBefore = await cpuSeconds();
    const { hostname, port } = new URL(metrics);
    let answered = 0;
    let peak = before;
    await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const socket = connect(Number(port), hostname).on("error", () => undefined);
        t.after(() => socket.destroy());
        await once(socket, "connect");
        socket.write("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n");
        socket.once("data", (data) => {
          answered += /^HTTP\/1\.1 200/.test(data.toString("latin1", 0, 12)) ? 1 : 0;
        });
      }),
    );
    await waitUntil(() => {
      peak = Math.max(peak, residentBytes(server.pid));
      return answered === 1000;
    }, "every scrape to be answered");
    assert.ok(peak - before < 60 * miB, `grew by ${Math.round((peak - before) / miB)} MiB`);
    assert.ok((await cpuSeconds()) - cpuBefore < 1.5, "each scrape is rendered by itself");
  });
}
