// Covers registry.ts and prom-client.ts: one set of counters, rendered in both formats.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { parseMetricsText, samplesByName } from "../../../src/lib/prometheus-text.ts";
import {
  closeCodes,
  countClose,
  countHttp,
  createStats,
  httpCodes,
  messageSizeBounds,
  observe,
  rejectionReasons,
  routes,
  type Stats,
  slot,
  terminationReasons,
} from "../../../src/metrics/counters.ts";
import { type ProcessSample, RuntimeMonitor } from "../../../src/metrics/process-sampler.ts";
import { createRegistry, type Format, type MetricsSource } from "../../../src/metrics/registry.ts";

const build = { version: "1.2.3", nodeVersion: "20.20.2" };
const limits = [{ name: "connections", help: "WebSocket connections that may be open", value: 100 }];
const worker: ProcessSample = {
  worker: 1,
  cpuSeconds: 1.5,
  residentBytes: 50_000_000,
  eventLoopUtilization: 0.25,
};

const runtime = new RuntimeMonitor();
after(() => runtime.stop());

function sourceOf(stats: Stats, change: Partial<MetricsSource> = {}): MetricsSource {
  return { stats: () => stats, samples: () => [worker], workerRestarts: () => 0, runtime, ...change };
}

async function render(format: Format, source: MetricsSource): Promise<string> {
  return await createRegistry(format, source, limits, build).metrics();
}

/** The samples of a page: name and labels as written, to value. */
function samplesOf(page: string): Map<string, number> {
  return new Map(Object.entries(samplesByName(parseMetricsText(page))));
}

/** Family names to types, as the page declares them. */
function typesOf(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
}

/** Ten text messages of 100 B, of which one was buffered and two dropped, and one binary message of 100 kB. */
function someTraffic(): Stats {
  const stats = createStats();
  stats[slot.textMessages + 1] = 10;
  stats[slot.textBytes] = 1000;
  stats[slot.binaryMessages + 6] = 1;
  stats[slot.binaryBytes] = 100_000;
  stats[slot.sendsBuffered] = 1;
  stats[slot.textDropped] = 2;
  stats[slot.textDroppedBytes] = 200;
  return stats;
}

test("what was sent, buffered and dropped is worked out from what was received", async () => {
  const samples = samplesOf(await render("text", sourceOf(someTraffic())));
  const expected = {
    'echo_messages_received_total{type="text"}': 10,
    'echo_messages_received_total{type="binary"}': 1,
    'echo_messages_sent_total{type="text"}': 8,
    'echo_messages_sent_total{type="binary"}': 1,
    'echo_received_bytes_total{type="text"}': 1000,
    'echo_received_bytes_total{type="binary"}': 100_000,
    'echo_sent_bytes_total{type="text"}': 800,
    'echo_sent_bytes_total{type="binary"}': 100_000,
    'echo_sends_total{result="sent"}': 8,
    'echo_sends_total{result="buffered"}': 1,
    'echo_sends_total{result="dropped"}': 2,
    'echo_message_size_bytes_bucket{le="64"}': 0,
    'echo_message_size_bytes_bucket{le="256"}': 10,
    'echo_message_size_bytes_bucket{le="65536"}': 10,
    'echo_message_size_bytes_bucket{le="262144"}': 11,
    'echo_message_size_bytes_bucket{le="+Inf"}': 11,
    echo_message_size_bytes_sum: 101_000,
    echo_message_size_bytes_count: 11,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(samples.get(name), value, name);
  }
});

test("the three results of send() add up to the messages received", async () => {
  const stats = createStats();
  const registry = createRegistry("text", sourceOf(stats), [], build);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1000),
      fc.nat(1000),
      fc.nat(100),
      fc.nat(100),
      async (text, binary, dropped, buffered) => {
        stats[slot.textMessages] = text + dropped;
        stats[slot.binaryMessages + 3] = binary + buffered;
        stats[slot.textDropped] = dropped;
        stats[slot.sendsBuffered] = buffered;
        const samples = samplesOf(await registry.metrics());
        const results = ["sent", "buffered", "dropped"].map((each) =>
          samples.get(`echo_sends_total{result="${each}"}`),
        );
        assert.deepEqual(results, [text + binary, buffered, dropped]);
      },
    ),
    { numRuns: 20 },
  );
});

test("every value of every bounded label is there from the start, with 0", async () => {
  const samples = samplesOf(await render("text", sourceOf(createStats())));
  const expected = [
    ...closeCodes.map((code) => `echo_connections_closed_total{code="${code}"}`),
    ...terminationReasons.map((reason) => `echo_connections_terminated_total{reason="${reason}"}`),
    ...rejectionReasons.map((reason) => `echo_upgrades_rejected_total{reason="${reason}"}`),
    ...routes.flatMap((route) =>
      httpCodes.map((code) => `echo_http_requests_total{route="${route}",code="${code}"}`),
    ),
    "echo_connections",
    "echo_buffered_bytes",
    "echo_drains_total",
    "echo_worker_restarts_total",
    'echo_connection_duration_seconds_bucket{le="+Inf"}',
  ];
  for (const name of expected) {
    assert.equal(samples.get(name), 0, name);
  }
});

test("counts appear under their labels", async () => {
  const stats = createStats();
  countClose(stats, 1001);
  countHttp(stats, "/inspect", 200);
  countHttp(stats, "/inspect", 200);
  observe(stats, slot.connectionDuration, slot.connectionDurationSum, [0.1, 1, 10], 5);
  stats[slot.connections] = 7;
  const samples = samplesOf(await render("text", sourceOf(stats, { workerRestarts: () => 3 })));
  assert.equal(samples.get('echo_connections_closed_total{code="1001"}'), 1);
  assert.equal(samples.get('echo_http_requests_total{route="/inspect",code="200"}'), 2);
  assert.equal(samples.get('echo_connection_duration_seconds_bucket{le="1"}'), 0);
  assert.equal(samples.get('echo_connection_duration_seconds_bucket{le="10"}'), 1);
  assert.equal(samples.get("echo_connection_duration_seconds_sum"), 5);
  assert.equal(samples.get("echo_connections"), 7);
  assert.equal(samples.get("echo_limit_connections"), 100);
  assert.equal(samples.get("echo_worker_restarts_total"), 3);
  assert.equal(samples.get('echo_worker_cpu_seconds_total{worker="1"}'), 1.5);
  assert.equal(samples.get('echo_build_info{version="1.2.3",node_version="20.20.2"}'), 1);
});

test("a page shows the counts of its time, not the sum of all pages", async () => {
  const stats = createStats();
  const registry = createRegistry("text", sourceOf(stats), [], build);
  const drains = async (): Promise<number | undefined> =>
    samplesOf(await registry.metrics()).get("echo_drains_total");
  stats[slot.drains] = 5;
  assert.equal(await drains(), 5);
  assert.equal(await drains(), 5);
  stats[slot.drains] = 6;
  assert.equal(await drains(), 6);
});

test("workers come and go: each has its line while it lives", async () => {
  let samples: ProcessSample[] = [];
  const registry = createRegistry("text", sourceOf(createStats(), { samples: () => samples }), [], build);
  const lines = async (): Promise<string[]> =>
    [...samplesOf(await registry.metrics()).keys()].filter((name) =>
      name.startsWith("echo_worker_event_loop"),
    );
  assert.deepEqual(await lines(), [], "none has reported yet");
  samples = [worker, { ...worker, worker: 2 }];
  assert.deepEqual(await lines(), [
    'echo_worker_event_loop_utilization{worker="1"}',
    'echo_worker_event_loop_utilization{worker="2"}',
  ]);
  samples = [{ ...worker, worker: 2 }];
  assert.deepEqual(await lines(), ['echo_worker_event_loop_utilization{worker="2"}']);
});

test("histograms only ever rise from bucket to bucket, and end in their count", async () => {
  const stats = createStats();
  const sizes = fc.array(fc.nat(100), {
    minLength: messageSizeBounds.length + 1,
    maxLength: messageSizeBounds.length + 1,
  });
  const registry = createRegistry("text", sourceOf(stats), [], build);
  await fc.assert(
    fc.asyncProperty(sizes, async (counts) => {
      for (const [i, count] of counts.entries()) {
        stats[slot.binaryMessages + i] = count;
      }
      const samples = samplesOf(await registry.metrics());
      const bounds = [...messageSizeBounds.map(String), "+Inf"];
      const buckets = bounds.map(
        (le) => samples.get(`echo_message_size_bytes_bucket{le="${le}"}`) ?? Number.NaN,
      );
      let sum = 0;
      assert.deepEqual(
        buckets,
        counts.map((count) => {
          sum += count;
          return sum;
        }),
      );
      assert.equal(samples.get("echo_message_size_bytes_count"), sum);
    }),
    { numRuns: 20 },
  );
});

test("both formats are rendered from one source in any order, and keep their names", async () => {
  const source = sourceOf(someTraffic());
  const text = createRegistry("text", source, limits, build);
  const openmetrics = createRegistry("openmetrics", source, limits, build);
  const pages = [];
  for (let i = 0; i < 2; i++) {
    pages.push({ text: await text.metrics(), openmetrics: await openmetrics.metrics() });
  }
  for (const page of pages) {
    const sample = 'echo_messages_received_total{type="text"}';
    assert.equal(samplesOf(page.text).get(sample), 10);
    assert.equal(samplesOf(page.openmetrics).get(sample), 10);
    assert.equal(typesOf(page.text).get("echo_messages_received_total"), "counter");
    assert.equal(typesOf(page.openmetrics).get("echo_messages_received"), "counter");
    assert.match(page.openmetrics, /# EOF\n$/);
    assert.doesNotMatch(page.text, /# EOF/);
  }
});

test("both formats have the same samples of ours", async () => {
  const source = sourceOf(someTraffic());
  const ours = (page: string): string[] =>
    [...samplesOf(page)].filter(([name]) => name.startsWith("echo_")).map(String);
  assert.deepEqual(ours(await render("text", source)), ours(await render("openmetrics", source)));
});

test("every family has a prefix, a help text, and its unit at the end", async () => {
  const page = await render("text", sourceOf(createStats()));
  for (const [name, type] of typesOf(page)) {
    assert.match(name, /^(echo|process|nodejs)_[a-z0-9_]+$/);
    assert.match(page, new RegExp(`^# HELP ${name} \\S`, "m"));
    if (!name.startsWith("echo_")) {
      continue;
    }
    assert.equal(type === "counter", name.endsWith("_total"), `${name} is a ${type}`);
    assert.ok(type !== "histogram" || /_(bytes|seconds)$/.test(name), name);
  }
});
