import assert from "node:assert/strict";
import { test } from "node:test";
import { unfinishedBytes, unfinishedWarning } from "../../../src/config/unfinished.ts";
import { defaultMaxPayload } from "../../../src/system/resources.ts";

const miB = 1024 * 1024;

test("the default of --max-payload follows the memory limit, between 64 KiB and 16 MiB", () => {
  const defaults = [1, 16, 64, 100, 256, 512, 1000, 4096, 65_536].map(
    (limit) => defaultMaxPayload(limit * miB) / 1024,
  );
  assert.deepEqual(defaults, [64, 64, 256, 256, 1024, 2048, 2048, 16_384, 16_384]);
});

test("unfinished messages can use connections times payload, and twice that with compression", () => {
  const limits = { maxConnections: 20, maxPayload: 16 * miB };
  assert.equal(unfinishedBytes({ ...limits, compression: "off" }), 320 * miB);
  assert.equal(unfinishedBytes({ ...limits, compression: "shared" }), 640 * miB);
});

test("a product above the memory limit is warned about, with the number of clients that suffice", () => {
  const limits = { maxConnections: 20_000, maxPayload: 16 * miB, compression: "off" } as const;
  const warning = unfinishedWarning(limits, 250 * miB) ?? "";
  assert.match(warning, /^16 of 20000 connections could use up the memory .* --max-payload 16MiB/);
  assert.equal(unfinishedWarning({ ...limits, maxConnections: 15 }, 256 * miB), undefined);
});
