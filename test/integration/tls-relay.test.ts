import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { connectClient, maskedFrame } from "../support/client.ts";
import { spawnServer } from "../support/echo-server.ts";
import { handshake, RawSocket } from "../support/raw-socket.ts";
import { connectTls, getSecure, startSecureServer } from "../support/secure.ts";
import { inTime, waitUntil } from "../support/wait.ts";

const longMs = 30_000;

function failures(stats: Readonly<Record<string, number>>, reason: string): number {
  return stats[`echo_tls_failures_total{reason="${reason}"}`] ?? Number.NaN;
}

test("shows the client's address and the negotiated TLS parameters", async (t) => {
  const { server } = await startSecureServer(t);
  const found = JSON.parse(await getSecure(server.urls.inspect, { servername: "localhost" }));
  assert.equal(found.remoteAddress, "127.0.0.1");
  assert.equal(found.tls, true);
  assert.equal(found.tlsVersion, "TLSv1.3");
  assert.match(found.tlsCipher, /^TLS_/);
  assert.equal(found.tlsServerName, "localhost");
  assert.equal(found.tlsClientCertificate, null);
});

test("a client cannot forge its address with a PROXY header", async (t) => {
  const { server } = await startSecureServer(t);
  const socket = await connectTls(t, server.port);
  const request = "GET /inspect HTTP/1.1\r\nHost: x\r\n\r\n";
  const answer = async (): Promise<string> => {
    let text = "";
    while (!text.endsWith("}\n")) {
      text += String((await inTime(once(socket, "data"), "an answer", longMs))[0]);
    }
    return JSON.parse(text.slice(text.indexOf("{"))).remoteAddress;
  };
  socket.write(request);
  assert.equal(await answer(), "127.0.0.1");
  // PROXY v2, TCP over IPv4: 1.2.3.4:80 to 5.6.7.8:443.
  const forged = Buffer.from("0d0a0d0a000d0a515549540a2111000c0102030405060708005001bb", "hex");
  socket.write(Buffer.concat([forged, Buffer.from(request)]));
  assert.notEqual(await answer(), "1.2.3.4");
});

test("limits per address count the client's address", async (t) => {
  const { server, ca } = await startSecureServer(t, { maxConnectionsPerIp: 2 });
  await connectClient(t, server.urls.echo, { ca });
  await connectClient(t, server.urls.echo, { ca });
  await assert.rejects(connectClient(t, server.urls.echo, { ca }), /429/);
  await connectClient(t, server.urls.echo, { ca, localAddress: "127.0.0.2" });
});

test("more TCP connections than an address may have are refused before their handshake", async (t) => {
  const { server } = await startSecureServer(t, { maxConnectionsPerIp: 1 });
  for (let i = 0; i < 9; i++) {
    await connectTls(t, server.port);
  }
  await assert.rejects(connectTls(t, server.port), /ECONNRESET|socket hang up|disconnected/);
  assert.equal(failures(await server.stats(), "per_ip"), 1);
  await connectTls(t, server.port, { localAddress: "127.0.0.2" });
});

test("refuses handshakes over --handshake-rate before TLS", async (t) => {
  const { server } = await startSecureServer(t, { handshakeRate: 5 });
  const results = await Promise.allSettled(Array.from({ length: 30 }, () => connectTls(t, server.port)));
  const refused = results.filter(({ status }) => status === "rejected").length;
  assert.ok(refused >= 15, `${refused} of 30 were refused`);
  const stats = await server.stats();
  assert.equal(failures(stats, "rate"), refused);
});

test("unfinished handshakes are bounded in number and in time", async (t) => {
  const { server } = await startSecureServer(t, { tlsMaxHandshakes: 3, tlsHandshakeTimeout: 1500 });
  const sockets = Array.from({ length: 5 }, () => {
    const socket = connectTcp({ host: "127.0.0.1", port: server.port });
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    return socket;
  });
  // The first bytes of a record, one at a time: such a client is never idle.
  const drip = setInterval(() => {
    for (const socket of sockets) {
      if (!socket.destroyed) {
        socket.write(Buffer.from([0x16]));
      }
    }
  }, 100);
  t.after(() => clearInterval(drip));
  await waitUntil(() => sockets.every(({ closed }) => closed), "all to be closed", longMs);
  const stats = await server.stats();
  assert.equal(failures(stats, "handshakes"), 2);
  assert.equal(failures(stats, "timeout") + failures(stats, "protocol"), 3);
  assert.equal(stats["echo_tls_handshakes"], 0);
});

test("drops a client that sends nothing after its handshake", async (t) => {
  const { server } = await startSecureServer(t, { tlsHandshakeTimeout: 300 });
  const socket = await connectTls(t, server.port);
  socket.resume();
  await inTime(once(socket, "close"), "the end", longMs);
});

test("frees the place of a client that disconnects during its handshake", async (t) => {
  const { server } = await startSecureServer(t);
  const socket = connectTcp({ host: "127.0.0.1", port: server.port });
  socket.on("error", () => undefined);
  await inTime(once(socket, "connect"), "the connection", longMs);
  socket.end(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await waitUntil(async () => failures(await server.stats(), "closed") === 1, "the end", longMs);
  assert.equal((await server.stats())["echo_tls_handshakes"], 0);
});

test("the app sees a slow reader, closes it at --max-backpressure, and the client is dropped", async (t) => {
  const { server } = await startSecureServer(t, { maxPayload: 65_536, maxBackpressure: 1_048_576 });
  const socket = await connectTls(t, server.port);
  socket.write(handshake());
  await inTime(once(socket, "data"), "the handshake", longMs);
  socket.pause();
  const frame = maskedFrame(2, Buffer.alloc(65_536, 1));
  const closed = inTime(new Promise((resolve) => socket.on("close", resolve)), "the end", 60_000);
  for (let i = 0; i < 4000 && !socket.destroyed; i++) {
    await new Promise<void>((resolve) => {
      socket.write(frame, () => resolve());
    });
  }
  socket.resume();
  await closed;
  const stats = await server.stats();
  assert.equal(stats['echo_connections_terminated_total{reason="backpressure"}'], 1);
  await waitUntil(
    async () => (await server.stats())["echo_tls_buffered_bytes"] === 0,
    "what was held to be free",
    longMs,
  );
  assert.equal((await server.stats())["echo_buffered_bytes"], 0);
});

test("clients that read nothing have at most 256 KiB each in front of the app, and half of --max-buffered together", async (t) => {
  const maxBuffered = 1_048_576;
  const { server } = await startSecureServer(t, {
    maxPayload: 65_536,
    maxBackpressure: maxBuffered,
    maxBuffered,
    stallTimeout: 0,
  });
  let most = 0;
  const frame = maskedFrame(2, Buffer.alloc(65_536, 1));
  const floods = Array.from({ length: 6 }, async () => {
    const socket = await connectTls(t, server.port);
    socket.write(handshake());
    await inTime(once(socket, "data"), "the handshake", longMs);
    socket.pause();
    for (let i = 0; i < 400 && !socket.destroyed; i++) {
      await Promise.race([
        new Promise<void>((resolve) => {
          socket.write(frame, () => resolve());
        }),
        new Promise((resolve) => setTimeout(resolve, 500)),
      ]);
      most = Math.max(most, (await server.stats())["echo_tls_buffered_bytes"] ?? 0);
    }
  });
  await inTime(Promise.all(floods), "the floods", 120_000);
  assert.ok(most <= maxBuffered / 2, `${most} bytes`);
});

test("when the client resets, the app's connection closes too", async (t) => {
  const { server } = await startSecureServer(t);
  const tcp = connectTcp({ host: "127.0.0.1", port: server.port });
  const socket = await connectTls(t, server.port, { socket: tcp });
  socket.write(handshake());
  await inTime(once(socket, "data"), "the handshake", longMs);
  tcp.resetAndDestroy();
  await waitUntil(async () => (await server.stats())["echo_connections"] === 0, "the close", longMs);
  await waitUntil(async () => (await server.stats())["echo_sockets"] === 0, "the socket to be gone", longMs);
});

test("a client that ends its half first still gets its response", async (t) => {
  const { server } = await startSecureServer(t);
  const socket = await connectTls(t, server.port, { allowHalfOpen: true });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.end();
  await inTime(once(socket, "end"), "the end", longMs);
  assert.match(text, /^HTTP\/1\.1 200 OK/);
});

test("on shutdown each client gets 1001, then close_notify", async (t) => {
  const { server, ca } = await startSecureServer(t);
  const raw = await connectTls(t, server.port);
  raw.write(handshake());
  const chunks: Buffer[] = [];
  raw.on("data", (chunk: Buffer) => chunks.push(chunk));
  await waitUntil(() => chunks.length > 0, "the handshake", longMs);
  const { ws, next, closed } = await connectClient(t, server.urls.echo, { ca });
  ws.send(Buffer.alloc(100_000));
  await next();
  // Without close_notify the end would be an error, as a cut could be an attack.
  const ended = inTime(once(raw, "end"), "the end", longMs);
  const stopped = server.stop();
  assert.equal((await closed).code, 1001);
  await ended;
  raw.end();
  const closing = Buffer.from([0x88, 12, 0x03, 0xe9, ...Buffer.from("going away")]);
  assert.equal(Buffer.concat(chunks).subarray(-14).toString("hex"), closing.toString("hex"));
  await stopped;
});

test("the private socket's folder is gone after the end", async (t) => {
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("uws-echo-tls-"));
  const { server, files } = await startSecureServer(t);
  const ours = folders().filter((name) => existsSync(`${tmpdir()}/${name}/app.sock`));
  assert.ok(ours.length > 0, `none beside ${files.folder}`);
  await server.stop();
  const left = ours.filter((name) => existsSync(`${tmpdir()}/${name}/app.sock`));
  assert.equal(left.length, ours.length - 1);
});

test("workers share the port, resume each other's sessions, and drain", async (t) => {
  const { files, ca } = await startSecureServer(t);
  const server = await spawnServer(t, ["--workers", "2", "--tls-cert", files.cert, "--tls-key", files.key]);
  const port = Number(new URL(`https://${server.authority}`).port);
  const workers = new Set<number>();
  await waitUntil(
    async () => {
      const found = JSON.parse(await getSecure(`https://127.0.0.1:${port}/inspect`));
      assert.equal(found.remoteAddress, "127.0.0.1");
      return workers.add(found.worker).size === 2;
    },
    "both workers to answer",
    longMs,
  );
  const first = await connectTls(t, port);
  const [session] = (await inTime(once(first, "session"), "a session", longMs)) as [Buffer];
  let resumed = 0;
  for (let i = 0; i < 12; i++) {
    resumed += Number((await connectTls(t, port, { session })).isSessionReused());
  }
  assert.equal(resumed, 12);
  const { closed } = await connectClient(t, `wss://127.0.0.1:${port}/echo`, { ca });
  process.kill(server.pid, "SIGTERM");
  assert.equal((await closed).code, 1001);
  assert.equal(await server.exited, 0);
});

test("a request with more headers than uWebSockets.js reads gets 431 over TLS", async (t) => {
  const { server } = await startSecureServer(t);
  for (const [more, status] of [
    [92, 101],
    [94, 431],
  ] as const) {
    const raw = new RawSocket(await connectTls(t, server.port));
    // The handshake has five headers.
    await raw.send(handshake({ X: Array<string>(more).fill("a") }));
    assert.equal((await raw.readHead()).status, status, `${more + 5} headers`);
    if (status === 431) {
      assert.match((await raw.ended()).toString(), /98 headers/);
    }
  }
});

test("two servers share a port over TLS with --reuse-port", async (t) => {
  const { files } = await startSecureServer(t);
  const args = ["--reuse-port", "--tls-cert", files.cert, "--tls-key", files.key];
  const first = await spawnServer(t, args);
  const port = new URL(`https://${first.authority}`).port;
  const second = await spawnServer(t, [...args, "--port", port]);
  assert.equal(second.authority, first.authority);
  assert.match(await getSecure(`https://127.0.0.1:${port}/livez`), /ok/);
});
