import assert from "node:assert/strict";
import { test } from "node:test";
import { startEchoServer } from "../../../src/index.ts";
import { parseMetricsText } from "../../../src/lib/prometheus-text.ts";
import { ratesBetween, readFigures } from "../../../src/web/server/figures.ts";

test("computes rates from counters, and counts a reset counter from zero", () => {
  const page = (received: number, cpu: number) =>
    parseMetricsText(
      `echo_messages_received_total{type="text"} ${received}\necho_worker_cpu_seconds_total{worker="1"} ${cpu}`,
    );
  const first = readFigures(page(1000, 10), 0);
  const second = readFigures(page(3000, 11), 2000);
  assert.deepEqual(
    [ratesBetween(first, second).messagesIn, ratesBetween(first, second).cpuPercent],
    [1000, 50],
  );
  assert.equal(ratesBetween(second, readFigures(page(500, 0), 4000)).messagesIn, 250);
  assert.equal(ratesBetween(first, second).messagesOut, undefined);
  assert.equal(ratesBetween(first, first).messagesIn, undefined);
});

test("every figure of the panel is on the real server's page", async (t) => {
  const server = await startEchoServer();
  t.after(() => server.stop());
  const page = await (await fetch(server.urls.metrics)).text();
  const { atMs, ...figures } = readFigures(parseMetricsText(page), 7);
  assert.equal(atMs, 7);
  for (const [name, value] of Object.entries(figures)) {
    assert.notEqual(value, undefined, name);
  }
  assert.equal(figures.eventLoops.length, 1);
  const limits = new Map(figures.limits.map((limit) => [limit.name, limit]));
  assert.deepEqual(limits.get("payload"), {
    gauge: "payload_bytes",
    name: "payload",
    value: 16 * 2 ** 20,
    unit: "bytes",
  });
  assert.equal(limits.get("idle timeout")?.unit, "seconds");
  assert.equal(limits.get("connections per ip")?.unit, "count");
});
