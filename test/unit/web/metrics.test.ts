import assert from "node:assert/strict";
import { test } from "node:test";
import { startEchoServer } from "../../../src/index.ts";
import { ratesBetween, readFigures } from "../../../src/web/server/figures.ts";
import { parseMetricsText, sumOf } from "../../../src/web/server/metrics-text.ts";

test("the Prometheus text format is read: labels, escapes, values, timestamps, comments", () => {
  const samples = parseMetricsText(
    [
      "# HELP a_total Some help with {braces} and 1 number",
      "# TYPE a_total counter",
      "a_total 3",
      'a_total{type="text"} 4 1700000000000',
      'b{path="C:\\\\dir",text="a \\"quote\\"\\nand, a } brace" , } 1e3',
      "up:rule{} +Inf",
      "n NaN",
      "n_of_prom_client Nan",
      "\tminus   -0.5\r",
      "",
    ].join("\n"),
  );
  assert.equal(sumOf(samples, "a_total"), 7);
  assert.equal(sumOf(samples, "a_total", { type: "text" }), 4);
  assert.equal(sumOf(samples, "a_total", { type: "binary" }), undefined);
  assert.equal(sumOf(samples, "absent"), undefined);
  const [b] = samples.get("b") ?? [];
  assert.equal(b?.value, 1000);
  assert.equal(b?.labels.get("path"), "C:\\dir");
  assert.equal(b?.labels.get("text"), 'a "quote"\nand, a } brace');
  assert.equal(sumOf(samples, "up:rule"), Number.POSITIVE_INFINITY);
  assert.equal(sumOf(samples, "n"), Number.NaN);
  assert.equal(sumOf(samples, "n_of_prom_client"), Number.NaN);
  assert.equal(sumOf(samples, "minus"), -0.5);
});

test("what is not that format is refused with its line", () => {
  for (const line of ["<!doctype html>", "name", "x{a=1} 2", 'x{a="1" 2', "x 1 2 3", "x one", "x 1 soon"]) {
    assert.throws(
      () => parseMetricsText(`ok 1\n${line}`),
      /Line 2 is not in the Prometheus text format/,
      line,
    );
  }
});

test("rates come from counters, and a counter that was reset counts from zero", () => {
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
