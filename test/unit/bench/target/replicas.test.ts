import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { samplePage } from "../../../../bench/target/page-sampler.ts";
import { makeCertificates } from "../../../support/certificates.ts";
import type { Cleanup } from "../../../support/echo-server.ts";

interface Shown {
  cpu: number;
  received: number;
  rss: number;
  /** In seconds since 1970. */
  started?: number;
  status?: number;
}

const pageOf = ({ cpu, received, rss, started = 1000 }: Shown): string =>
  `process_cpu_seconds_total ${cpu}
process_resident_memory_bytes ${rss}
echo_messages_received_total{type="text"} ${received}
process_start_time_seconds ${started}
nodejs_version_info{version="v20"} 1
`;

/** Servers with one port, each at its own loopback address, and the hosts that they were asked for. */
async function serveAt(
  t: Cleanup,
  shown: Readonly<Record<string, Shown>>,
  tls?: { cert: string; key: string },
) {
  const hosts: string[] = [];
  const answer = (page: Shown): RequestListener => {
    return (request, response) => {
      hosts.push(request.headers.host ?? "");
      response.statusCode = page.status ?? 200;
      response.end(pageOf(page));
    };
  };
  let port = 0;
  for (const [address, page] of Object.entries(shown)) {
    const server = tls === undefined ? createServer(answer(page)) : createSecureServer(tls, answer(page));
    await once(server.listen(port, address), "listening");
    t.after(() => server.close());
    port = (server.address() as AddressInfo).port;
  }
  return { port, hosts };
}

/** A resolver whose answer can change. */
function resolver(...addresses: string[]) {
  const answer = { addresses, asked: [] as string[] };
  const lookupAll = (host: string) => {
    answer.asked.push(host);
    return Promise.resolve(answer.addresses.map((address) => ({ address })));
  };
  return { answer, lookupAll };
}

const metricsPeriodMs = 1000;

test("adds up the pages of all addresses, and keeps the host's name", async (t) => {
  const shown = {
    "127.0.0.2": { cpu: 10, received: 1000, rss: 100 },
    "127.0.0.3": { cpu: 20, received: 5000, rss: 200, started: 2000 },
  };
  const { port, hosts } = await serveAt(t, shown);
  const { answer, lookupAll } = resolver("127.0.0.2", "127.0.0.3");
  const sampler = samplePage(`http://echo.test:${port}/metrics`, { metricsPeriodMs, lookupAll });
  assert.equal(await sampler.problem(), undefined);
  const first = await sampler.sample(() => 1);
  Object.assign(shown["127.0.0.2"], { cpu: 11, received: 1100 });
  Object.assign(shown["127.0.0.3"], { cpu: 23, received: 5300 });
  const second = await sampler.sample(() => 2);
  assert.deepEqual([first?.cpuSeconds, second?.cpuSeconds], [0, 4]);
  assert.deepEqual([first?.receivedMessages, second?.receivedMessages], [0, 400]);
  assert.deepEqual([second?.rssBytes, second?.workers, second?.replicas], [300, 2, 1]);
  assert.deepEqual([...(second?.threadCpuSeconds?.values() ?? [])], [1, 3], "each is a thread of its own");
  assert.equal(second?.silent, undefined);
  assert.deepEqual(new Set(hosts), new Set([`echo.test:${port}`]));
  assert.equal(hosts.length, 6);
  assert.deepEqual(answer.asked, ["echo.test", "echo.test", "echo.test"], "resolved at each reading");
});

test("names the addresses that do not answer, at the start and later", async (t) => {
  const shown: Record<string, Shown> = {
    "127.0.0.2": { cpu: 1, received: 10, rss: 100 },
    "127.0.0.3": { cpu: 2, received: 20, rss: 200 },
  };
  const { port } = await serveAt(t, shown);
  const { answer, lookupAll } = resolver("127.0.0.2", "127.0.0.3", "127.0.0.4");
  const sampler = samplePage(`http://echo.test:${port}/metrics`, { metricsPeriodMs, lookupAll });
  assert.match(
    (await sampler.problem()) ?? "",
    /^at 127\.0\.0\.4 cannot be read as a Prometheus page: .*ECONNREFUSED/,
  );
  answer.addresses = ["127.0.0.2", "127.0.0.3"];
  assert.equal(await sampler.problem(), undefined);
  await sampler.sample(() => 1);
  Object.assign(shown["127.0.0.3"] ?? {}, { cpu: 3, received: 30 });
  const whole = await sampler.sample(() => 2);
  Object.assign(shown["127.0.0.3"] ?? {}, { status: 503 });
  const part = await sampler.sample(() => 3);
  assert.deepEqual(part?.silent, ["127.0.0.3"]);
  assert.equal(part?.cpuSeconds, whole?.cpuSeconds, "what it had counted stays");
  assert.deepEqual([whole?.rssBytes, part?.rssBytes], [300, 100]);
  Object.assign(shown["127.0.0.2"] ?? {}, { status: 503 });
  assert.equal(await sampler.sample(() => 4), undefined);
});

test("takes in servers that are added, and keeps the counts of those that are removed", async (t) => {
  const shown: Record<string, Shown> = {
    "127.0.0.1": { cpu: 5, received: 100, rss: 100 },
    "127.0.0.3": { cpu: 7, received: 700, rss: 200, started: Date.now() / 1000 + 60 },
  };
  const { port } = await serveAt(t, shown);
  const { answer, lookupAll } = resolver("127.0.0.1");
  const sampler = samplePage(`http://localhost:${port}/metrics`, { metricsPeriodMs, lookupAll });
  assert.equal((await sampler.sample(() => 1))?.receivedMessages, 0);
  Object.assign(shown["127.0.0.1"] ?? {}, { received: 150 });
  answer.addresses = ["127.0.0.1", "127.0.0.3"];
  const grown = await sampler.sample(() => 2);
  assert.equal(grown?.receivedMessages, 50 + 700, "one that started since counts from 0");
  answer.addresses = ["127.0.0.3"];
  const shrunk = await sampler.sample(() => 3);
  assert.deepEqual([shrunk?.receivedMessages, shrunk?.rssBytes, shrunk?.workers], [750, 200, 1]);
  answer.addresses = [];
  assert.equal(
    (await sampler.sample(() => 4))?.rssBytes,
    200,
    "without an answer of the resolver, as before",
  );
});

test("a server with an address of each family counts once", async (t) => {
  const { port, hosts } = await serveAt(t, { "127.0.0.1": { cpu: 5, received: 1, rss: 1 } });
  const { lookupAll } = resolver("127.0.0.1", "::1");
  const sampler = samplePage(`http://localhost:${port}/metrics`, { metricsPeriodMs, lookupAll });
  assert.equal(await sampler.problem(), undefined);
  assert.equal((await sampler.sample(() => 1))?.workers, 1);
  assert.equal(hosts.length, 2);
});

test("an address that --resolve gives is the only one", async (t) => {
  const { port } = await serveAt(t, { "127.0.0.2": { cpu: 5, received: 1, rss: 1 } });
  const { answer, lookupAll } = resolver("127.0.0.3", "127.0.0.4");
  const addresses = { "echo.test": "127.0.0.2" };
  const sampler = samplePage(`http://echo.test:${port}/metrics`, { metricsPeriodMs, lookupAll, addresses });
  assert.equal(await sampler.problem(), undefined);
  assert.deepEqual(answer.asked, []);
});

test("over TLS, the certificate must be for the host at each address", async (t) => {
  const files = await makeCertificates(t);
  const [cert = "", key = "", caPem] = [files.cert, files.key, files.ca].map((file) =>
    readFileSync(file, "utf8"),
  );
  const page = { cpu: 5, received: 1, rss: 1 };
  const { port } = await serveAt(t, { "127.0.0.2": page, "127.0.0.3": page }, { cert, key });
  const { lookupAll } = resolver("127.0.0.2", "127.0.0.3");
  const options = { metricsPeriodMs, lookupAll, caPem };
  const sampler = samplePage(`https://localhost:${port}/metrics`, options);
  assert.equal(await sampler.problem(), undefined);
  assert.equal((await sampler.sample(() => 1))?.workers, 2);
  const other = samplePage(`https://other.test:${port}/metrics`, options);
  assert.match((await other.problem()) ?? "", /at 127\.0\.0\.2 .*certificate's altnames.*at 127\.0\.0\.3 /);
});
