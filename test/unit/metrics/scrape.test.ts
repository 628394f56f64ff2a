import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createStats } from "../../../src/metrics/counters.ts";
import { RuntimeMonitor } from "../../../src/metrics/process-sampler.ts";
import { chooseFormat, createMetrics } from "../../../src/metrics/scrape.ts";

const accepts: readonly [client: string, accept: string, format: ReturnType<typeof chooseFormat>][] = [
  [
    "Prometheus 2.30",
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "text",
  ],
  [
    "Prometheus 2.42",
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  [
    "Prometheus 2.53",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "openmetrics",
  ],
  [
    "Prometheus 3",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "openmetrics",
  ],
  [
    "Prometheus 3 with native histograms",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    "openmetrics",
  ],
  [
    "Prometheus 3 told to prefer text",
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.2",
    "text",
  ],
  ["a scraper of text only", "text/plain;version=0.0.4;q=1,*/*;q=0.1", "text"],
  ["curl", "*/*", "text"],
  ["no Accept at all", "", "text"],
  [
    "a browser",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "text",
  ],
  ["a client that asks by name", "application/openmetrics-text", "openmetrics"],
  ["a client that asks by name and version", "application/openmetrics-text; version=1.0.0", "openmetrics"],
  ["a client that asks for an unsupported format", "application/json", "text"],
  [
    "a client that puts blanks before its weights",
    "application/openmetrics-text; version=1.0.0; q=0.9, text/plain; q=0.1",
    "openmetrics",
  ],
  [
    "a client with blanks, versions and weights",
    "text/plain ; version=0.0.4 ; q=0.2, application/openmetrics-text;version=1.0.0; q=0.1",
    "text",
  ],
  ["nonsense", ";;;,,,q=", "text"],
];

for (const [client, accept, format] of accepts) {
  test(`${client} gets ${format}`, () => {
    assert.equal(chooseFormat(accept), format);
  });
}

const runtime = new RuntimeMonitor();
after(() => runtime.stop());
const none = { stats: createStats, samples: () => [], workerRestarts: () => 0, runtime };
const build = { version: "1.2.3", nodeVersion: "20.20.2" };

test("the page says in which format and version it is", async () => {
  const { scrape } = createMetrics(none, [], build);
  const text = await scrape({ accept: "*/*", acceptEncoding: "" });
  assert.equal(text.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8");
  const openmetrics = await scrape({ accept: "application/openmetrics-text", acceptEncoding: "" });
  assert.equal(
    openmetrics.headers["Content-Type"],
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
  assert.equal(text.headers["Vary"], "Accept, Accept-Encoding");
});

test("the page is compressed only for clients that accept gzip", async () => {
  const { scrape } = createMetrics(none, [], build);
  for (const acceptEncoding of ["gzip", "gzip, deflate, br", "deflate, gzip;q=0.5, identity;q=0.1"]) {
    const { headers, body } = await scrape({ accept: "*/*", acceptEncoding });
    assert.equal(headers["Content-Encoding"], "gzip", acceptEncoding);
    assert.ok(body instanceof Uint8Array);
    assert.match(gunzipSync(body).toString(), /^echo_connections 0$/m);
  }
  for (const acceptEncoding of ["", "identity", "br", "gzip;q=0"]) {
    const { headers, body } = await scrape({ accept: "*/*", acceptEncoding });
    assert.equal(headers["Content-Encoding"], undefined, acceptEncoding);
    assert.equal(typeof body, "string");
  }
});

test("a page shows size and duration of the previous one", async () => {
  const { scrape } = createMetrics(none, [], build);
  const value = (page: string | Uint8Array, name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page.toString())?.[1]);
  const first = (await scrape({ accept: "*/*", acceptEncoding: "" })).body;
  assert.equal(value(first, "echo_scrape_size_bytes"), 0);
  const second = (await scrape({ accept: "*/*", acceptEncoding: "" })).body;
  assert.equal(value(second, "echo_scrape_size_bytes"), Buffer.byteLength(first));
  assert.ok(value(second, "echo_scrape_duration_seconds") > 0);
});
