import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { createTlsAdmission } from "../../../src/server/tls-admission.ts";

const { config } = resolveConfig({ maxConnections: 336, trustProxy: "10.0.0.0/8" });
// With the 64 for HTTP: 400.

test("one address cannot use up all connections with clients that never open a WebSocket", () => {
  const admission = createTlsAdmission(config, () => 0);
  let open = 0;
  const admit = (address: string, webSockets = 0): string | undefined => {
    const refusal = admission.admit(address, open, webSockets);
    open += refusal === undefined ? 1 : 0;
    return refusal;
  };
  for (let i = 0; i < 201; i++) {
    assert.equal(admit("192.0.2.1"), undefined);
  }
  assert.equal(admit("192.0.2.1"), "per_ip");
  assert.equal(admit("192.0.2.2"), undefined);
  assert.equal(admit("10.1.1.1"), undefined);
  assert.equal(admit("192.0.2.1", 150), undefined, "most of them are WebSockets by now");
  for (let i = 0; i < 202; i++) {
    admission.release("192.0.2.1");
  }
  assert.equal(admission.admit("192.0.2.1", 300, 0), undefined, "all of its places are free again");
});

test("all places taken is a refusal, for proxies as well", () => {
  const admission = createTlsAdmission(config, () => 0);
  assert.equal(admission.admit("10.1.1.1", 400, 400), "capacity");
  assert.equal(admission.admit("10.1.1.1", 10_000_000, 0), "descriptors");
});
