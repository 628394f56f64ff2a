import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { unboundedReads } from "../support/binary.ts";
import { type Cleanup, scrape, spawnServer, startServer } from "../support/echo-server.ts";
import { residentBytes } from "../support/memory.ts";
import { connectRaw } from "../support/raw-socket.ts";
import { inTime } from "../support/wait.ts";

const kiB = 1024;
const miB = 1024 * kiB;

test("POST /echo sends the body back with its content type", async (t) => {
  const server = await startServer(t);
  for (const bytes of [0, 1, 1000, 5 * miB]) {
    const body = randomBytes(bytes);
    const response = await fetch(server.urls.httpEcho, {
      method: "POST",
      body,
      headers: { "content-type": "image/png" },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
  }
  assert.equal((await server.stats())["echo_http_echoed_bytes_total"], 5 * miB + 1001);
});

test("POST /echo answers while the body is still arriving", async (t) => {
  const server = await startServer(t);
  const upload = request(server.urls.httpEcho, { method: "POST", agent: false });
  t.after(() => upload.destroy());
  upload.write("first part");
  const [response] = await inTime(once(upload, "response"), "the head of the answer");
  const [chunk] = await inTime(once(response, "data"), "the first part");
  assert.equal(String(chunk), "first part");
  upload.end("last part");
  const [last] = await inTime(once(response, "data"), "the last part");
  assert.equal(String(last), "last part");
});

test("memory stays flat while POST /echo streams 1 GiB", { skip: unboundedReads() }, async (t) => {
  const server = await spawnServer(t);
  const before = residentBytes(server.pid);
  let peak = before;
  const piece = Buffer.alloc(miB, "x");
  const upload = request(`http://${server.authority}/echo`, { method: "POST", agent: false });
  let received = 0;
  const finished = new Promise<void>((resolve, reject) => {
    upload.on("error", reject);
    upload.on("response", (response) => {
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on("end", resolve);
    });
  });
  for (let sent = 0; sent < 1024; sent++) {
    if (!upload.write(piece)) {
      await once(upload, "drain");
    }
    if (sent % 16 === 0) {
      peak = Math.max(peak, residentBytes(server.pid));
    }
  }
  upload.end();
  await finished;
  assert.equal(received, 1024 * miB);
  assert.ok(peak - before < 128 * miB, `grew by ${Math.round((peak - before) / miB)} MiB`);
});

async function stalledUpload(
  t: Cleanup,
  port: number,
): Promise<{ socket: ReturnType<typeof connect>; sent: () => number }> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 * miB}\r\n\r\n`);
  const piece = Buffer.alloc(miB, "x");
  let sent = 0;
  const pump = (): void => {
    while (sent < 1024 * miB && socket.writable) {
      sent += piece.length;
      if (!socket.write(piece)) {
        return void socket.once("drain", pump);
      }
    }
  };
  pump();
  return { socket, sent: () => sent };
}

test("a reader that stops also stops its upload, and is dropped after --stall-timeout", async (t) => {
  const server = await startServer(t, { stallTimeout: "1s" });
  const { socket, sent } = await stalledUpload(t, server.port);
  await inTime(new Promise((resolve) => socket.once("close", resolve)), "the stalled upload to be dropped");
  assert.ok(sent() < 256 * miB, `${sent() / miB} MiB were taken from a reader that does not read`);
  assert.equal((await fetch(server.urls.livez)).status, 200);
});

test("GET /echo without an upgrade is 426 with a sentence of help", async (t) => {
  const server = await startServer(t);
  const response = await fetch(server.urls.httpEcho);
  assert.equal(response.status, 426);
  assert.equal(response.headers.get("sec-websocket-version"), "13");
  assert.match(await response.text(), /new WebSocket\(url\)/);
});

test("GET /inspect shows what reached the server", async (t) => {
  const server = await startServer(t, { trustProxy: "127.0.0.0/8" });
  const response = await fetch(`${server.urls.inspect}?a=1&b=%20`, {
    headers: { "x-forwarded-for": "203.0.113.7, 127.0.0.9", "x-test": "yes" },
  });
  const found = (await response.json()) as Record<string, unknown>;
  assert.equal(found["method"], "GET");
  assert.equal(found["path"], "/inspect");
  assert.equal(found["query"], "a=1&b=%20");
  assert.equal((found["headers"] as Record<string, unknown>)["x-test"], "yes");
  assert.equal(found["remoteAddress"], "127.0.0.1");
  assert.equal(found["clientAddress"], "203.0.113.7");
  assert.equal(found["tls"], false);
  assert.equal(found["worker"], 1);
  assert.ok(!Number.isNaN(Date.parse(String(found["time"]))));
  const deleted = await (await fetch(`${server.urls.inspect}`, { method: "DELETE" })).json();
  assert.equal((deleted as Record<string, unknown>)["method"], "DELETE");
});

test("a path that does not exist is 404 with a list of those that do; a wrong method is 405", async (t) => {
  const server = await startServer(t);
  const missing = await fetch(`http://127.0.0.1:${server.port}/nothing`);
  assert.equal(missing.status, 404);
  const text = await missing.text();
  for (const path of ["/echo", "/inspect", "/metrics", "/livez", "/readyz", "/healthz"]) {
    assert.match(text, new RegExp(` ${path} `));
  }
  const wrong = await fetch(server.urls.metrics, { method: "DELETE" });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get("allow"), "GET, HEAD");
  const samples = await scrape(server.urls.metrics);
  assert.equal(samples['echo_http_requests_total{route="other",code="404"}'], 1);
  assert.equal(samples['echo_http_requests_total{route="/metrics",code="405"}'], 1);
});

test("HEAD is GET without a body", async (t) => {
  const server = await startServer(t);
  for (const url of [server.urls.livez, server.urls.readyz, `${server.urls.inspect}`, server.urls.metrics]) {
    const response = await fetch(url, { method: "HEAD" });
    assert.equal(response.status, 200, url);
    assert.equal(await response.text(), "");
    assert.ok(Number(response.headers.get("content-length")) > 0, url);
  }
});

test("--no-inspect turns /inspect off", async (t) => {
  const server = await startServer(t, { inspect: false });
  assert.equal(server.urls.inspect, undefined);
  const missing = await fetch(`http://127.0.0.1:${server.port}/inspect`);
  assert.equal(missing.status, 404);
  assert.doesNotMatch(await missing.text(), / \/inspect /);
});

/** Sends a request over a raw socket, because fetch sets Host by itself. */
async function statusFor(t: Cleanup, port: number, path: string, host: string): Promise<number> {
  const raw = await connectRaw(t, `127.0.0.1:${port}`);
  await raw.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return (await raw.readHead()).status;
}

test("a name that a foreign page may have pointed here reads neither /inspect nor /metrics", async (t) => {
  const { port } = await startServer(t, { allowHost: "echo.example.org,.example.net" });
  for (const path of ["/inspect", "/metrics"]) {
    for (const host of [`evil.example:${port}`, "EVIL.example.", "127.0.0.1.evil.example", "example.net"]) {
      assert.equal(await statusFor(t, port, path, host), 421, `${path} of ${host}`);
    }
    for (const host of [
      ...["127.0.0.1", `[::1]:${port}`, "localhost:80", "uws-echo", `echo:${port}`, "uws-echo.default.svc"],
      ...["uws-echo.default.svc.cluster.local:9998", "Echo.Example.Org", "a.b.example.net", "app.localhost"],
    ]) {
      assert.equal(await statusFor(t, port, path, host), 200, `${path} of ${host}`);
    }
  }
  assert.equal(await statusFor(t, port, "/livez", "evil.example"), 200);
});

test("with a trusted proxy or --allow-host any, every name is answered", async (t) => {
  for (const options of [{ trustProxy: "10.0.0.0/8" }, { allowHost: "any" }]) {
    const { port } = await startServer(t, options);
    assert.equal(await statusFor(t, port, "/metrics", "echo.example.org"), 200);
  }
});

test("the admin port answers under any name: only operators reach it", async (t) => {
  const server = await startServer(t, { adminPort: 0, adminHost: "127.0.0.1" });
  const { port } = new URL(server.urls.metrics);
  assert.equal(await statusFor(t, Number(port), "/metrics", "uws-echo.monitoring"), 200);
});

for (const [first, second] of [
  [3, 40],
  [40, 3],
]) {
  test(`two lengths, ${first} and ${second}, are 400, and nothing after it is taken for a request`, async (t) => {
    const server = await startServer(t);
    const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${first}\r\nContent-Length: ${second}\r\n\r\n`;
    const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
    await raw.send(`${head}abc`);
    assert.match((await raw.ended()).toString("latin1"), /^HTTP\/1\.1 400 /);
    const smuggler = await connectRaw(t, `127.0.0.1:${server.port}`);
    await smuggler.send(`${head}abcGET /livez HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.doesNotMatch((await smuggler.ended()).toString("latin1"), /200 OK/);
  });
}

test("the same length twice is one length", async (t) => {
  const server = await startServer(t);
  const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
  await raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
  assert.equal((await raw.readHead()).status, 200);
});
