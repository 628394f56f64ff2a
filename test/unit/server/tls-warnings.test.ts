import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../../src/config/options.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { tlsWarnings } from "../../../src/server/tls-warnings.ts";

const secure: Config = { ...resolveConfig({}).config, tlsCert: "cert.pem", tlsKey: "key.pem" };

test("nothing is said without TLS, nor with its defaults", () => {
  assert.deepEqual(tlsWarnings({ ...secure, tlsCert: undefined, tlsEngine: "uws" }, 6_291_456), []);
  assert.deepEqual(tlsWarnings(secure, 6_291_456), []);
});

test("--tls-engine uws is warned about where the kernel's receive buffer may exceed 256 KiB", () => {
  const uws: Config = { ...secure, tlsEngine: "uws" };
  assert.match(tlsWarnings(uws, 262_145)[0] ?? "", /maximum of net.ipv4.tcp_rmem, which is 262145/);
  assert.deepEqual(tlsWarnings(uws, 262_144), []);
});

test("client certificates are warned about where they surprise", () => {
  assert.match(tlsWarnings({ ...secure, tlsClientAuth: "request" })[0] ?? "", /accepts clients without one/);
  assert.match(tlsWarnings({ ...secure, tlsClientAuth: "require" })[0] ?? "", /--admin-port/);
  assert.deepEqual(tlsWarnings({ ...secure, tlsClientAuth: "require", adminPort: 9999 }), []);
});
