// The tests that every proxy must pass.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type RequestOptions, request } from "node:http";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Client, connectClient, refusedHandshake } from "./client.ts";
import { type Cleanup, type Spawned, scrape } from "./echo-server.ts";
import { checkWithHarness, measureWithHarness } from "./harness.ts";
import {
  choosePorts,
  type Ports,
  type ProxyProgram,
  serverHosts,
  startBackend,
  startProxy,
} from "./proxies.ts";
import { toolTest } from "./tools.ts";
import { inTime, waitUntil } from "./wait.ts";

const result = z.object({
  messages: z.object({ received: z.number().positive(), lost: z.literal(0), corrupt: z.literal(0) }),
  connections: z.object({ failed: z.literal(0), closedEarly: z.literal(0) }),
  errors: z.strictObject({}),
});

/** Runs the harness for a second; it exits with 0 only if nothing was lost, and each byte is compared. */
async function measure(url: string, ...args: string[]): Promise<void> {
  const fixed = ["--verify", "full", "--duration", "1s", "--warmup", "0s"];
  result.parse(await measureWithHarness(url, [...fixed, ...args]));
}

/** Sends a request from another address and returns status and body. */
async function ask(url: string, options: RequestOptions): Promise<{ status: number; body: string }> {
  const [response] = await once(request(url, options).end(), "response");
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) {
    body += chunk;
  }
  return { status: response.statusCode, body };
}

/** Starts one of two servers that select different sub-protocols. */
function startOne(t: Cleanup, name: "first" | "second", ports: Ports): Promise<Spawned> {
  const host = serverHosts[name === "first" ? 0 : 1];
  return startBackend(t, host, ports, ["--subprotocols", name]);
}

const both = { subprotocols: ["first", "second"] };

/** Connects, has a message echoed and disconnects, unless closed before. Returns the server that it reached. */
async function visit(t: Cleanup, url: string): Promise<string> {
  const { ws, next, closed } = await connectClient(t, url, both);
  ws.send("hello");
  const answer = await Promise.race([next(), closed]);
  if ("data" in answer) {
    assert.equal(answer.data.toString(), "hello");
  }
  ws.close(1000);
  const { code } = await closed;
  assert.ok(code === 1000 || code === 1001, `closed with ${code}`);
  return ws.protocol;
}

/** Clients that stay: at least two on each server. */
async function settle(t: Cleanup, url: string): Promise<Record<"first" | "second", Client[]>> {
  const settled: Record<"first" | "second", Client[]> = { first: [], second: [] };
  for (let i = 0; i < 30 && (settled.first.length < 2 || settled.second.length < 2); i++) {
    const client = await connectClient(t, url, both);
    settled[z.enum(["first", "second"]).parse(client.ws.protocol)].push(client);
  }
  assert.ok(settled.first.length >= 2 && settled.second.length >= 2, "both servers are used");
  return settled;
}

/** Stops a server while new clients keep connecting: none may be refused, and its own clients are closed. */
async function stopUnderVisits(
  t: Cleanup,
  url: string,
  server: Spawned,
  clients: readonly Client[],
): Promise<void> {
  let stopped = false;
  const visits = (async () => {
    // A few more after the end, while the proxy may still route to the ended server.
    for (let left = 5; left > 0; ) {
      await visit(t, url);
      if (stopped) {
        left--;
      }
    }
  })();
  server.child.kill("SIGTERM");
  for (const client of clients) {
    assert.equal((await inTime(client.closed, "the close event")).code, 1001);
  }
  assert.equal(await server.exited, 0);
  stopped = true;
  await visits;
}

async function checkPings(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  // The least idle timeout, and the shipped one of the proxy scaled down alike.
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--idle-timeout", "8s"]);
  const { authority } = await startProxy(t, proxy, ports, "12s");
  const { ws, next } = await connectClient(t, `ws://${authority}/echo`);
  const since = performance.now();
  let pings = 0;
  ws.on("ping", () => pings++);
  await waitUntil(() => pings > 1 && performance.now() - since > 14_000, "14 s of silence", 60_000);
  ws.send("still here");
  assert.equal((await next()).data.toString(), "still here");
}

async function checkHarness(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  for (const host of serverHosts) {
    await startBackend(t, host, ports);
  }
  const { authority, tlsAuthority, ca } = await startProxy(t, proxy, ports);
  await measure(`ws://${authority}/echo`, "-c", "64", "--depth", "32", "--payload", "64");
  await measure(`ws://${authority}/echo`, "-c", "4", "--depth", "4", "--payload", "64,65536,1048576");
  const tls = ["--ca", ca, "-c", "16", "--depth", "4", "--payload", "0,125,126,65536"];
  await measure(`wss://${tlsAuthority}/echo`, ...tls);
}

async function checkPassage(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--goodbye"]);
  const { authority, tlsAuthority, ca } = await startProxy(t, proxy, ports);
  const url = `ws://${authority}/echo`;

  const client = await connectClient(t, url, { subprotocols: ["chat", "superchat"] });
  assert.equal(client.ws.protocol, "chat");
  client.ws.close(4321, "enough");
  assert.equal((await client.closed).code, 4321);
  const admin = `http://${serverHosts[0]}:${ports.admin}/metrics`;
  assert.equal((await scrape(admin))['echo_connections_closed_total{code="4xxx"}'], 1);

  const secure = await connectClient(t, `wss://${tlsAuthority}/echo`, { ca: readFileSync(ca) });
  secure.ws.send("Goodbye");
  assert.equal((await secure.closed).code, 1000);

  // The second half is sent once the first is echoed, which fails if the proxy buffers the body.
  const post = request(`http://${authority}/echo`, { method: "POST" });
  post.write("first half, ");
  const [response] = await inTime(once(post, "response"), "an answer while the body is being sent");
  const [half] = await inTime(once(response, "data"), "the first half");
  assert.equal(half.toString(), "first half, ");
  post.end("second half");
  let rest = "";
  for await (const chunk of response) {
    rest += chunk;
  }
  assert.equal(rest, "second half");

  assert.equal((await ask(`http://${authority}/metrics`, {})).status, 404);
}

async function checkAddresses(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  // The other server is down, which no client notices.
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--max-connections-per-ip", "2"]);
  const { authority } = await startProxy(t, proxy, ports);
  const spoof = (fake: string) => ({ localAddress: "127.0.0.2", headers: { "X-Forwarded-For": fake } });

  const { body } = await ask(`http://${authority}/inspect`, spoof("203.0.113.66"));
  const { remoteAddress, clientAddress, forwardedFor, headers } = JSON.parse(body);
  assert.deepEqual([remoteAddress, clientAddress, forwardedFor], ["127.0.0.1", "127.0.0.2", "127.0.0.2"]);
  assert.equal(headers["x-forwarded-proto"], "http");
  assert.equal(headers.host, authority);

  const url = `ws://${authority}/echo`;
  for (const fake of ["203.0.113.1", "203.0.113.2"]) {
    await connectClient(t, url, spoof(fake));
  }
  const refused = await refusedHandshake(url, spoof("203.0.113.3"));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "1");
  await connectClient(t, url, { localAddress: "127.0.0.3" });
}

async function checkSilence(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--idle-timeout", "0"]);
  const { authority } = await startProxy(t, proxy, ports, "1s");
  const { closed } = await connectClient(t, `ws://${authority}/echo`);
  assert.equal((await inTime(closed, "the proxy to give up")).code, 1006);
}

/** Runs `uws-echo-bench check` on a proxy with a limit of 2 s, and on the way around it. */
async function checkCheck(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--idle-timeout", "0"]);
  const { authority } = await startProxy(t, proxy, ports, "2s");
  const direct = `ws://${serverHosts[0]}:${ports.echo}/echo`;
  const report = await checkWithHarness(`ws://${authority}/echo`, ["--direct", direct, "--idle", "5s"]);
  const failed = report.checks.filter(({ status }) => status === "fails");
  assert.deepEqual(
    failed.map(({ id }) => id),
    ["idle-silent"],
  );
  assert.match(
    failed[0]?.advice ?? "",
    /^cuts silence after \d.* s; a ping every \d+ m?s keeps it; the cause lies in between$/,
  );
  const forwarded = report.checks.find(({ id }) => id === "forwarded");
  assert.match(forwarded?.seen ?? "", /x-forwarded-for: 127\.0\.0\.1/);
}

async function checkRollingRestart(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  const first = await startOne(t, "first", ports);
  const second = await startOne(t, "second", ports);
  const { authority } = await startProxy(t, proxy, ports);
  const url = `ws://${authority}/echo`;
  const clients = await settle(t, url);

  await stopUnderVisits(t, url, first, clients.first);
  for (const { ws } of clients.second) {
    assert.equal(ws.readyState, ws.OPEN);
  }
  await startOne(t, "first", ports);
  await waitUntil(async () => (await visit(t, url)) === "first", "the first server is used again");
  await stopUnderVisits(t, url, second, clients.second);
  assert.equal(await visit(t, url), "first");
}

/** A client that reconnects 200 ms after its server has closed it. Counts failed handshakes. */
async function stay(
  t: Cleanup,
  url: string,
  seen: { refused: number },
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    try {
      await (await connectClient(t, url, both)).closed;
    } catch {
      seen.refused++;
    }
    await sleep(200);
  }
}

async function checkLastingClients(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  const first = await startOne(t, "first", ports);
  const second = await startOne(t, "second", ports);
  const { authority } = await startProxy(t, proxy, ports);
  const clients = 30;
  const seen = { refused: 0 };
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const staying = Array.from({ length: clients }, () =>
    stay(t, `ws://${authority}/echo`, seen, () => isOver),
  );
  const openOn = async (host: string): Promise<number> =>
    (await scrape(`http://${host}:${ports.admin}/metrics`))["echo_connections"] ?? 0;
  const [firstHost, secondHost] = serverHosts;
  await waitUntil(
    async () => (await openOn(firstHost)) + (await openOn(secondHost)) === clients,
    "every client to be connected",
  );
  first.child.kill("SIGTERM");
  await first.exited;
  await waitUntil(
    async () => (await openOn(secondHost)) === clients,
    "every client to be on the second",
    30_000,
  );
  const again = await startOne(t, "first", ports);
  second.child.kill("SIGTERM");
  await second.exited;
  await waitUntil(
    async () => (await openOn(firstHost)) === clients,
    "every client to be on the first",
    30_000,
  );
  assert.equal(seen.refused, 0, "handshakes that failed");
  isOver = true;
  again.child.kill("SIGTERM");
  await Promise.all(staying);
}

async function checkFullServer(t: Cleanup, proxy: ProxyProgram): Promise<void> {
  const ports = await choosePorts();
  await startBackend(t, serverHosts[0], ports, ["--max-connections", "2"]);
  await startBackend(t, serverHosts[1], ports);
  const { authority } = await startProxy(t, proxy, ports);
  for (let i = 0; i < 8; i++) {
    await connectClient(t, `ws://${authority}/echo`);
  }
  const samples = await scrape(`http://${serverHosts[0]}:${ports.admin}/metrics`);
  assert.equal(samples["echo_connections"], 2);
  assert.ok((samples['echo_upgrades_rejected_total{reason="capacity"}'] ?? 0) > 0, "it was asked for more");
}

const checks: readonly (readonly [name: string, check: typeof checkPings])[] = [
  ["the server's ping keeps a silent client connected for longer than the proxy allows silence", checkPings],
  ["the harness loses nothing: small messages in flight by the thousand, large ones, TLS", checkHarness],
  ["sub-protocols, close codes and streamed bodies pass; metrics do not", checkPassage],
  ["the server sees the client, whatever the client calls itself", checkAddresses],
  ["without pings the proxy ends a silent connection, so its time-out is real", checkSilence],
  ["check finds the limit on silence and that pings extend it, and passes the rest", checkCheck],
  ["a rolling restart turns no client away and ends each connection with 1001", checkRollingRestart],
  ["clients that last find the other server through a rolling restart", checkLastingClients],
  ["a server that is full costs no client an error while there is another one", checkFullServer],
];

/** Registers the tests, which run two at a time: the first one does little but wait. */
export function testProxy(proxy: ProxyProgram): void {
  describe(`behind ${proxy.program}`, { concurrency: 2 }, () => {
    for (const [name, check] of checks) {
      toolTest(proxy.program, name, (t) => check(t, proxy));
    }
  });
}
