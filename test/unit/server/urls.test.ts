import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigInput, resolveConfig } from "../../../src/config/resolve.ts";
import { type ServedUrls, servedUrls } from "../../../src/server/urls.ts";

function urls(given: ConfigInput, port: number, adminPort?: number): ServedUrls {
  return servedUrls(resolveConfig(given).config, port, adminPort);
}

test("every endpoint has its URL on the port that was bound", () => {
  assert.deepEqual(urls({ port: 0, host: "127.0.0.1" }, 4321), {
    echo: "ws://127.0.0.1:4321/echo",
    httpEcho: "http://127.0.0.1:4321/echo",
    inspect: "http://127.0.0.1:4321/inspect",
    page: "http://127.0.0.1:4321/",
    metrics: "http://127.0.0.1:4321/metrics",
    livez: "http://127.0.0.1:4321/livez",
    readyz: "http://127.0.0.1:4321/readyz",
  });
});

test("an address that means every address is shown as localhost", () => {
  for (const host of ["*", "0.0.0.0", "::"]) {
    assert.equal(urls({ host }, 1).echo, "ws://localhost:1/echo", host);
  }
});

test("IPv6 addresses are in brackets", () => {
  assert.equal(urls({ host: "::1" }, 1).echo, "ws://[::1]:1/echo");
  assert.equal(new URL(urls({ host: "2001:db8::1" }, 1).httpEcho).hostname, "[2001:db8::1]");
});

test("the admin listener has metrics and health, in plain HTTP", () => {
  const { metrics, livez, readyz, inspect } = urls({ adminPort: "0", adminHost: "127.0.0.1" }, 1, 2);
  assert.deepEqual(
    [metrics, livez, readyz, inspect],
    [
      "http://127.0.0.1:2/metrics",
      "http://127.0.0.1:2/livez",
      "http://127.0.0.1:2/readyz",
      "http://localhost:1/inspect",
    ],
  );
});

test("without the page there is no URL of it", () => {
  assert.equal(urls({ console: false }, 1).page, undefined);
});

test("with TLS the URLs are wss and https, those of the admin listener are not", () => {
  const config = { ...resolveConfig({}).config, tlsCert: "cert.pem", tlsKey: "key.pem" };
  const { echo, httpEcho, metrics } = servedUrls(config, 1, undefined);
  assert.deepEqual(
    [echo, httpEcho, metrics],
    ["wss://localhost:1/echo", "https://localhost:1/echo", "https://localhost:1/metrics"],
  );
  assert.equal(servedUrls(config, 1, 2).metrics, "http://localhost:2/metrics");
});
