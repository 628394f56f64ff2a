import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { chooseSampler, readPage, sampleMetrics, samplePid } from "../../../../bench/target/sampler.ts";
import type { Cleanup } from "../../../support/echo-server.ts";

const oneProcess = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
process_cpu_seconds_total 12.5
process_resident_memory_bytes 50000000
echo_buffered_bytes 4096
echo_sends_total{result="sent"} 1e+06
echo_sends_total{result="dropped"} 7
echo_worker_cpu_seconds_total{worker="0"} 12.25
`;

async function servePage(t: Cleanup, page: string | undefined): Promise<string> {
  const server = createServer((_request, response) => {
    response.statusCode = page === undefined ? 404 : 200;
    response.end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/metrics`;
}

test("a Prometheus page of one process gives its own CPU time and memory", () => {
  assert.deepEqual(readPage(oneProcess, 5), {
    takenNs: 5,
    cpuSeconds: 12.5,
    rssBytes: 50_000_000,
    bufferedBytes: 4096,
    droppedMessages: 7,
    workers: 1,
  });
});

test("a page of several workers gives the sum of theirs", () => {
  const page = `${oneProcess}echo_worker_cpu_seconds_total{worker="1"} 2.75
echo_worker_resident_memory_bytes{worker="0"} 10
echo_worker_resident_memory_bytes{worker="1"} 20
`;
  const sample = readPage(page, 0);
  assert.deepEqual([sample?.cpuSeconds, sample?.rssBytes, sample?.workers], [15, 30, 2]);
});

test("a page without CPU time is of no use", () => {
  assert.equal(readPage("process_cpu_seconds_total_more 5\nup 1\n", 0), undefined);
});

test("a process is sampled with its CPU time and memory, and a dead one is not", async () => {
  const sampler = samplePid(process.pid);
  const before = await sampler.sample(() => 1);
  const until = process.cpuUsage().user + 60_000;
  while (process.cpuUsage().user < until) {
    Math.sqrt(until);
  }
  const after = await sampler.sample(() => 2);
  const usedSeconds = (after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
  assert.ok(usedSeconds >= 0.03 && usedSeconds < 30, `${usedSeconds} s`);
  assert.ok((after?.rssBytes ?? 0) > 10_000_000);
  assert.equal(await samplePid(4_194_304).sample(() => 0), undefined);
});

test("the metrics page is used when it is there, and required when it was asked for", async (t) => {
  const there = await servePage(t, oneProcess);
  const missing = await servePage(t, undefined);
  const choose = (pid: number | undefined, metricsUrl: string | undefined, defaultMetricsUrl: string) =>
    chooseSampler({ pid, metricsUrl, defaultMetricsUrl });
  assert.equal((await choose(undefined, undefined, there))?.source, "metrics");
  assert.equal(await choose(undefined, undefined, missing), undefined);
  await assert.rejects(choose(undefined, missing, there), /is not a Prometheus page/);
  assert.equal((await choose(process.pid, undefined, missing))?.source, "pid");
  const both = await (await choose(process.pid, undefined, there))?.sample(() => 0);
  assert.equal(both?.bufferedBytes, 4096);
  assert.notEqual(both?.cpuSeconds, 12.5);
});

test("a page that cannot be reached gives no sample", async () => {
  assert.equal(await sampleMetrics("http://127.0.0.1:1/metrics").sample(() => 0), undefined);
});
