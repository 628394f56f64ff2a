import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { limitGauges } from "../../../src/metrics/limit-gauges.ts";
import { socketLimit } from "../../../src/system/resources.ts";

test("every limit is a gauge in base units", () => {
  const { config } = resolveConfig({
    maxPayload: "64KiB",
    idleTimeout: "30s",
    maxConnections: 100,
    handshakeRate: 7,
  });
  const gauges = Object.fromEntries(limitGauges(config).map(({ name, value }) => [name, value]));
  assert.equal(gauges["payload_bytes"], 65_536);
  assert.equal(gauges["idle_timeout_seconds"], 30);
  assert.equal(gauges["connections"], 100);
  assert.equal(gauges["handshakes_per_second"], 7);
  assert.equal(gauges["lifetime_seconds"], 0);
  assert.equal(gauges["sockets"], Number.isFinite(socketLimit()) ? socketLimit() : undefined);
});

test("no two limits share a name, and each has a help text", () => {
  const gauges = limitGauges(resolveConfig({}).config);
  assert.equal(new Set(gauges.map(({ name }) => name)).size, gauges.length);
  for (const { name, help } of gauges) {
    assert.match(name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    assert.notEqual(help, "");
  }
});
