import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type Server } from "node:net";
import { test } from "node:test";
import { samplePage } from "../../../../bench/target/page-sampler.ts";
import { chooseSampler, type SamplerChoice } from "../../../../bench/target/sampler.ts";
import { makeCertificates } from "../../../support/certificates.ts";
import type { Cleanup } from "../../../support/echo-server.ts";
import { inTime } from "../../../support/wait.ts";

const oneProcess = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
process_cpu_seconds_total 12.5
echo_buffered_bytes 4096
`;

async function listen(t: Cleanup, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** Serves a page, and counts how often it was read. */
async function servePage(t: Cleanup, page: string | undefined) {
  const served = { reads: 0, url: "" };
  const server = createServer((_request, response) => {
    served.reads += 1;
    response.statusCode = page === undefined ? 404 : 200;
    response.end(page);
  });
  served.url = `http://127.0.0.1:${await listen(t, server)}/metrics`;
  return served;
}

function choose(choice: Partial<SamplerChoice>) {
  return chooseSampler({
    pid: undefined,
    metricsUrl: undefined,
    defaultMetricsUrl: "http://127.0.0.1:1/metrics",
    metricsPeriodMs: 5000,
    ...choice,
  });
}

test("uses the metrics page if it exists, and requires it if requested", async (t) => {
  const there = await servePage(t, oneProcess);
  const missing = await servePage(t, undefined);
  assert.equal((await choose({ defaultMetricsUrl: there.url }))?.source, "metrics");
  assert.equal(await choose({ defaultMetricsUrl: missing.url }), undefined);
  await assert.rejects(choose({ metricsUrl: missing.url }), /cannot be read as a Prometheus page: .*404/);
  assert.equal((await choose({ pid: process.pid, defaultMetricsUrl: missing.url }))?.source, "pid");
});

test("does not read the metrics page if it is off, or with a process id unless requested", async (t) => {
  const page = await servePage(t, oneProcess);
  assert.equal(await choose({ metricsUrl: "off", defaultMetricsUrl: page.url }), undefined);
  const alone = await choose({ pid: process.pid, defaultMetricsUrl: page.url });
  assert.equal((await alone?.sample(() => 0))?.bufferedBytes, null);
  assert.equal(page.reads, 0);
  const both = await choose({ pid: process.pid, metricsUrl: page.url });
  assert.equal((await both?.sample(() => 0))?.bufferedBytes, 4096);
});

test("the metrics page is read once in its period, and at the edges of the window", async (t) => {
  const page = await servePage(t, oneProcess);
  const sampler = await choose({ pid: process.pid, metricsUrl: page.url });
  const before = page.reads;
  for (const second of [0, 1, 2, 3]) {
    await sampler?.sample(() => second * 1e9);
  }
  assert.equal(page.reads - before, 1);
  await sampler?.sample(() => 4e9, true);
  assert.equal(page.reads - before, 2);
});

test("reads a page with a private certificate with --ca, or with --insecure", async (t) => {
  const files = await makeCertificates(t);
  const [cert, key, caPem] = [files.cert, files.key, files.ca].map((file) => readFileSync(file, "utf8"));
  const server = createSecureServer({ cert, key }, (_request, response) => response.end(oneProcess));
  const metricsUrl = `https://127.0.0.1:${await listen(t, server)}/metrics`;
  await assert.rejects(choose({ metricsUrl }), /certificate/);
  assert.equal((await choose({ metricsUrl, insecure: true }))?.source, "metrics");
  assert.equal((await choose({ metricsUrl, caPem }))?.source, "metrics");
});

test("a port that closes or stays silent gives no sample, without a delay", async (t) => {
  const slam = createTcpServer((socket) => socket.end());
  const url = `http://127.0.0.1:${await listen(t, slam)}/metrics`;
  assert.equal(await inTime(choose({ defaultMetricsUrl: url }), "a page without metrics"), undefined);
  const sampler = samplePage("http://127.0.0.1:1/metrics", { metricsPeriodMs: 1000 });
  assert.equal(await sampler.sample(() => 0), undefined);
});
