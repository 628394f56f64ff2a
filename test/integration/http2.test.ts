import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { test } from "node:test";
import { browserTest } from "../support/chromium.ts";
import { maskedFrame } from "../support/client.ts";
import type { Cleanup } from "../support/echo-server.ts";
import { startSecureServer } from "../support/secure.ts";
import { inTime, waitUntil } from "../support/wait.ts";

const longMs = 30_000;

async function openSession(t: Cleanup, port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  session.on("error", () => undefined);
  await inTime(once(session, "remoteSettings"), "the server's settings", longMs);
  return session;
}

/** Opens a WebSocket on a stream (RFC 8441, section 4). */
function openStream(session: ClientHttp2Session, path = "/echo", fields: Record<string, string> = {}) {
  const stream = session.request(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": path,
      "sec-websocket-version": "13",
      ...fields,
    },
    { endStream: false },
  );
  stream.on("error", () => undefined);
  return stream;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  const [headers] = await inTime(once(stream, "response"), "an answer", longMs);
  return headers as Record<string, unknown>;
}

/** Collects the data of a stream. */
function collect(stream: ClientHttp2Stream): () => Buffer {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

test("echoes over extended CONNECT, many streams on one connection", async (t) => {
  const { server } = await startSecureServer(t, { http2: true });
  const session = await openSession(t, server.port);
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  for (let i = 0; i < 20; i++) {
    const stream = openStream(session, "/echo", { "sec-websocket-protocol": "chat" });
    const answer = await answerOf(stream);
    assert.equal(answer[":status"], 200);
    assert.equal(answer["sec-websocket-protocol"], "chat");
    assert.equal(answer["sec-websocket-accept"], undefined);
    const received = collect(stream);
    stream.write(maskedFrame(1, Buffer.from(`hello ${i}`)));
    await waitUntil(() => received().subarray(2).toString() === `hello ${i}`, "the echo", longMs);
  }
  const stats = await server.stats();
  assert.equal(stats["echo_connections"], 20);
  assert.equal(stats["echo_http2_streams"], 20);
  assert.equal(stats["echo_http2_sessions"], 1);
  assert.equal(stats['echo_http2_streams_total{kind="websocket"}'], 20);
  session.destroy();
  await waitUntil(async () => (await server.stats())["echo_connections"] === 0, "the end", longMs);
  assert.equal((await server.stats())["echo_http2_streams"], 0);
});

test("without --http2 it is not offered", async (t) => {
  const { server } = await startSecureServer(t);
  const session = connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  await inTime(once(session, "error"), "a refusal", longMs);
});

test("a handshake that is refused over HTTP/1.1 is refused with the same status", async (t) => {
  const { server } = await startSecureServer(t, {
    http2: true,
    allowOrigin: ["https://example.org"],
    maxConnections: 1,
  });
  const session = await openSession(t, server.port);
  assert.equal((await answerOf(openStream(session, "/nothing")))[":status"], 404);
  assert.equal(
    (await answerOf(openStream(session, "/echo", { origin: "https://other.example" })))[":status"],
    403,
  );
  const version = { "sec-websocket-version": "12" };
  assert.equal((await answerOf(openStream(session, "/echo", version)))[":status"], 426);
  assert.equal((await answerOf(openStream(session)))[":status"], 200);
  assert.equal((await answerOf(openStream(session)))[":status"], 503);
});

test("serves plain requests, reports the version, and streams a body back", async (t) => {
  const { server } = await startSecureServer(t, { http2: true });
  const session = await openSession(t, server.port);
  const get = session.request({ ":path": "/inspect", cookie: "a=b" });
  const text = collect(get);
  assert.equal((await answerOf(get))[":status"], 200);
  await inTime(once(get, "end"), "the end", longMs);
  const found = JSON.parse(text().toString());
  assert.equal(found.httpVersion, "2");
  assert.equal(found.remoteAddress, "127.0.0.1");
  assert.equal(found.headers.cookie, "a=b");
  const page = session.request({ ":path": "/" });
  assert.match(String((await answerOf(page))["content-type"]), /text\/html/);
  page.resume();
  const head = session.request({ ":method": "HEAD", ":path": "/metrics" });
  assert.equal((await answerOf(head))[":status"], 200);
  head.resume();
  const body = Buffer.alloc(3_000_000, "x");
  const post = session.request({ ":method": "POST", ":path": "/echo" });
  const echo = collect(post);
  post.end(body);
  await inTime(once(post, "end"), "the body", longMs);
  assert.ok(echo().equals(body), `${echo().length} bytes came back`);
});

test("more streams than --http2-max-streams are refused; open ones continue", async (t) => {
  const { server } = await startSecureServer(t, { http2: true, http2MaxStreams: 3 });
  const session = await openSession(t, server.port);
  assert.equal(session.remoteSettings.maxConcurrentStreams, 3);
  const streams = [openStream(session), openStream(session), openStream(session)];
  for (const stream of streams) {
    assert.equal((await answerOf(stream))[":status"], 200);
  }
  assert.equal((await server.stats())["echo_limit_http2_streams"], 3);
});

test("a stream that is not read holds little in front of the app, which sees the slow reader", async (t) => {
  const { server } = await startSecureServer(t, {
    http2: true,
    maxPayload: 65_536,
    maxBackpressure: 1_048_576,
    stallTimeout: 0,
  });
  const session = await openSession(t, server.port);
  const stream = openStream(session);
  await answerOf(stream);
  const other = openStream(session);
  await answerOf(other);
  const closed = inTime(new Promise((resolve) => stream.on("close", resolve)), "the end", 60_000);
  const frame = maskedFrame(2, Buffer.alloc(65_536, 1));
  for (let i = 0; i < 400 && !stream.closed; i++) {
    await Promise.race([
      new Promise<void>((resolve) => {
        stream.write(frame, () => resolve());
      }),
      closed,
    ]);
  }
  stream.resume();
  await closed;
  const reason = 'echo_connections_terminated_total{reason="backpressure"}';
  assert.equal((await server.stats())[reason], 1);
  const received = collect(other);
  other.write(maskedFrame(1, Buffer.from("still here")));
  await waitUntil(
    () => received().subarray(2).toString() === "still here",
    "the other stream's echo",
    longMs,
  );
});

test("a reset of the stream ends the WebSocket, a close frame ends the stream", async (t) => {
  const { server } = await startSecureServer(t, { http2: true });
  const session = await openSession(t, server.port);
  const first = openStream(session);
  await answerOf(first);
  first.close(constants.NGHTTP2_CANCEL);
  await waitUntil(async () => (await server.stats())["echo_connections"] === 0, "the end", longMs);
  const second = openStream(session);
  await answerOf(second);
  const received = collect(second);
  second.write(maskedFrame(8, Buffer.from([0x03, 0xe8])));
  await inTime(once(second, "end"), "the end", longMs);
  assert.deepEqual(received(), Buffer.from([0x88, 2, 0x03, 0xe8]));
});

test("on shutdown each stream gets 1001, and the connection ends", async (t) => {
  const { server } = await startSecureServer(t, { http2: true });
  const session = await openSession(t, server.port);
  const stream = openStream(session);
  await answerOf(stream);
  const received = collect(stream);
  const ended = inTime(new Promise((resolve) => session.on("close", resolve)), "the end", longMs);
  const stopped = server.stop();
  await waitUntil(
    () =>
      received()
        .subarray(0, 4)
        .equals(Buffer.from([0x88, 12, 0x03, 0xe9])),
    "1001",
    longMs,
  );
  stream.end();
  await ended;
  await stopped;
});

test("any other extended CONNECT is answered with 501", async (t) => {
  const { server } = await startSecureServer(t, { http2: true });
  const session = await openSession(t, server.port);
  const stream = openStream(session, "/echo", { ":protocol": "connect-udp" });
  assert.equal((await answerOf(stream))[":status"], 501);
});

browserTest(
  "Chromium opens a WebSocket on the HTTP/2 connection that the page came over",
  async (t, open) => {
    const { server } = await startSecureServer(t, { http2: true });
    const { page } = await open(server.urls.page, { ignoreHTTPSErrors: true });
    const echo = await page.evaluate(
      (url) =>
        new Promise((resolve, reject) => {
          const ws = new WebSocket(url);
          ws.onopen = () => ws.send("over one connection");
          ws.onmessage = ({ data }) => resolve(data);
          ws.onerror = () => reject(new Error("failed"));
        }),
      server.urls.echo,
    );
    assert.equal(echo, "over one connection");
    const stats = await server.stats();
    assert.ok((stats['echo_http2_streams_total{kind="websocket"}'] ?? 0) >= 1);
    assert.ok((stats['echo_http2_streams_total{kind="request"}'] ?? 0) >= 1);
  },
);

test("a session gets GOAWAY after --max-keep-alive-requests, and its open streams continue", async (t) => {
  const { server } = await startSecureServer(t, { http2: true, maxKeepAliveRequests: 3 });
  const session = await openSession(t, server.port);
  const goaway = once(session, "goaway");
  const stream = openStream(session);
  await answerOf(stream);
  for (let i = 0; i < 2; i++) {
    const request = session.request({ ":path": "/livez" });
    assert.equal((await answerOf(request))[":status"], 200);
    request.resume();
  }
  const [code] = await inTime(goaway, "GOAWAY", longMs);
  assert.equal(code, constants.NGHTTP2_NO_ERROR);
  const received = collect(stream);
  stream.write(maskedFrame(1, Buffer.from("still here")));
  await waitUntil(() => received().length > 0, "an echo");
  assert.equal(received().subarray(2).toString(), "still here");
});
