// deploy/public: a server with its options, and clients that try to exceed its limits.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { parseEnv } from "node:util";
import { z } from "zod";
import { resolveConfig, unknownVariables } from "../../../src/config/resolve.ts";
import { parseDuration } from "../../../src/lib/units.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { connectClient, flood, maskedFrame } from "../../support/client.ts";
import { read, readYaml } from "../../support/deploy.ts";
import { scrape, spawnServer } from "../../support/echo-server.ts";
import { residentBytes } from "../../support/memory.ts";
import { inTime, waitUntil } from "../../support/wait.ts";

const options = parseEnv(read("deploy/public/options.env")) as Record<string, string>;

/** A server with the public options, and certificates of a test. */
async function spawnPublic(t: TestContext) {
  const files = await makeCertificates(t);
  const env = { ...options, UWS_ECHO_TLS_CERT: files.cert, UWS_ECHO_TLS_KEY: files.key };
  const args = ["--admin-port", "0", "--admin-host", "127.0.0.1"];
  const server = await spawnServer(t, args, { env });
  const metrics = server.urls.find((url) => url.endsWith("/metrics"));
  assert.ok(metrics);
  return { server, metrics, ca: readFileSync(files.ca), url: `wss://${server.authority}/echo` };
}

/** A client on 127.0.0.2 that shakes hands and reads nothing more; undefined if it is refused. */
async function connectHostile(t: TestContext, url: string): Promise<TLSSocket | undefined> {
  const { port, host } = new URL(url);
  const plain = connectTcp({ host: "127.0.0.1", port: Number(port), localAddress: "127.0.0.2" });
  plain.on("error", () => undefined);
  const socket = connectTls({ socket: plain, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  const gone = new Promise<undefined>((resolve) => {
    socket.on("error", () => resolve(undefined)).on("close", () => resolve(undefined));
  });
  if ((await Promise.race([once(socket, "secureConnect"), gone])) === undefined) {
    return undefined;
  }
  socket.write(
    `GET /echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const answer = await Promise.race([once(socket, "data"), gone]);
  socket.pause();
  return String(answer?.[0]).startsWith("HTTP/1.1 101") ? socket : undefined;
}

test("the public options are valid, and Compose grants the shutdown its time and publishes no metrics", () => {
  assert.deepEqual(unknownVariables(options), []);
  const { UWS_ECHO_TLS_CERT, UWS_ECHO_TLS_KEY, ...rest } = options;
  assert.ok(UWS_ECHO_TLS_CERT?.startsWith("/certs/") && UWS_ECHO_TLS_KEY?.startsWith("/certs/"));
  const { config } = resolveConfig({}, rest);
  const service = z.object({ stop_grace_period: z.string(), ports: z.array(z.string()) });
  const { services } = z
    .object({ services: z.object({ echo: service }) })
    .parse(readYaml("deploy/public/compose.yaml"));
  const { stop_grace_period, ports } = services.echo;
  assert.ok(parseDuration(stop_grace_period) >= config.drainDelay + config.drainTimeout + 5000);
  const { port, adminPort } = config;
  assert.deepEqual(ports, [`443:${port}`, `127.0.0.1:${adminPort}:${adminPort}`]);
});

test("an address that floods without reading is bounded, while others are served", async (t) => {
  const { server, metrics, ca, url } = await spawnPublic(t);
  const { ws, next } = await connectClient(t, url, { ca });
  const frame = maskedFrame(2, Buffer.alloc(32 * 1024));
  let admitted = 0;
  let refused = 0;
  const floods: Promise<void>[] = [];
  await waitUntil(async () => {
    const socket = await connectHostile(t, url);
    if (socket === undefined) {
      refused++;
    } else {
      admitted++;
      // Ends when the server closes the socket.
      floods.push(flood(socket, frame, 1000));
    }
    return admitted >= 40 && refused > 0;
  }, "the server to refuse and to cut clients");
  ws.send("still served");
  assert.equal((await next()).data.toString(), "still served");
  const samples = await scrape(metrics);
  const limit = 32 * 2 ** 20;
  assert.ok((samples["echo_buffered_bytes"] ?? 0) + (samples["echo_tls_buffered_bytes"] ?? 0) <= 2 * limit);
  t.diagnostic(`${Math.round(residentBytes(server.pid) / 2 ** 20)} MiB resident, ${refused} refused`);
  assert.ok(residentBytes(server.pid) < 384 * 2 ** 20);
});

test("a client over its rate is closed with 1008, a message over the limit drops the connection", async (t) => {
  const { ca, url } = await spawnPublic(t);
  const fast = await connectClient(t, url, { ca });
  for (let i = 0; i < 2000; i++) {
    fast.ws.send("x");
  }
  assert.equal((await inTime(fast.closed, "a close")).code, 1008);
  const large = await connectClient(t, url, { ca });
  large.ws.send(Buffer.alloc(64 * 1024 + 1));
  assert.equal((await inTime(large.closed, "a close")).code, 1006);
});

test("metrics, health, rooms and violations are not on the public port", async (t) => {
  const { server, ca } = await spawnPublic(t);
  for (const path of ["/metrics", "/livez", "/readyz", "/rooms/a", "/violate/mask"]) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`https://${server.authority}${path}`, { ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    assert.equal(status, 404, path);
  }
});
