import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { shareOf } from "../../../src/process/shares.ts";

test("workers share what holds for the whole server, and keep what holds for one connection", () => {
  const { config } = resolveConfig({
    maxConnections: 10,
    maxConnectionsPerIp: 3,
    handshakeRate: 5,
    maxBuffered: "64MiB",
    maxBackpressure: "16MiB",
  });
  const share = shareOf(config, 4);
  assert.equal(share.maxConnections, 3);
  assert.equal(share.maxConnectionsPerIp, 1);
  assert.equal(share.handshakeRate, 2);
  assert.equal(share.maxBuffered, 16 * 1024 * 1024);
  assert.equal(share.maxBackpressure, config.maxBackpressure);
  assert.equal(share.maxPayload, config.maxPayload);
});

test("a worker's buffers are never below what one connection may have", () => {
  const { config } = resolveConfig({ maxBuffered: "16MiB", maxBackpressure: "16MiB" });
  assert.equal(shareOf(config, 8).maxBuffered, config.maxBackpressure);
});

test("the shares add up to the limit at least, and by less than one for each worker beyond it", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 256 }), (rate, perIp, workers) => {
      const { config } = resolveConfig({ handshakeRate: rate, maxConnectionsPerIp: perIp });
      const share = shareOf(config, workers);
      for (const [one, all] of [
        [share.handshakeRate, rate],
        [share.maxConnectionsPerIp, perIp],
      ] as const) {
        assert.ok(one * workers >= all && one * workers < all + workers);
        assert.equal(one === 0, all === 0, "0 stays no limit, and a limit never becomes 0");
      }
    }),
    { numRuns: 50 },
  );
});
