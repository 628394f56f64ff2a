// The opening handshake from the server's side (RFC 6455, section 4.2).
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../support/echo-server.ts";
import { connectRaw, frame, type Headers, handshake, opcode } from "../support/raw-socket.ts";
import { assertNextFrame, assertOpen, expected, serverOfFile } from "./protocol-case.ts";

const authority = serverOfFile();

interface Request {
  readonly name: string;
  readonly headers?: Headers;
  readonly requestLine?: string;
  readonly status: number;
  /** Headers that the response must have. */
  readonly answer?: Readonly<Record<string, string>>;
}

const key = "Sec-WebSocket-Key";
const version = "Sec-WebSocket-Version";
const protocol = "Sec-WebSocket-Protocol";
const upgradeRequired = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
};

const accepted: readonly Request[] = [
  {
    name: "the example of section 1.3",
    headers: { [key]: "dGhlIHNhbXBsZSBub25jZQ==" },
    status: 101,
    answer: {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    },
  },
  {
    name: "another key",
    headers: { [key]: "x3JJHMbDL1EzLkh9GBhXDw==" },
    status: 101,
    answer: { "sec-websocket-accept": "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" },
  },
  { name: "Upgrade in other case", headers: { Upgrade: "WebSocket" }, status: 101 },
  { name: "websocket among other protocols", headers: { Upgrade: "h2c, websocket" }, status: 101 },
  { name: "Connection in other case", headers: { Connection: "upgrade" }, status: 101 },
  { name: "Upgrade among other options", headers: { Connection: "keep-alive, Upgrade" }, status: 101 },
  { name: "Connection twice", headers: { Connection: ["keep-alive", "Upgrade"] }, status: 101 },
  {
    name: "header names in other case",
    headers: { [key]: undefined, "SEC-websocket-KEY": "dGhlIHNhbXBsZSBub25jZQ==" },
    status: 101,
  },
  {
    name: "white space around values",
    headers: { [version]: "  13 ", Upgrade: "\t websocket " },
    status: 101,
  },
  { name: "an Origin", headers: { Origin: "https://example.org" }, status: 101 },
  {
    name: "cookies and headers of no concern",
    headers: { Cookie: "a=b", "X-Other": "…", "User-Agent": "" },
    status: 101,
  },
  { name: "a query", requestLine: "GET /echo?token=a%20b&c HTTP/1.1", status: 101 },
  { name: "no sub-protocol", status: 101, answer: { "sec-websocket-protocol": "" } },
  {
    name: "one sub-protocol",
    headers: { [protocol]: "chat" },
    status: 101,
    answer: { "sec-websocket-protocol": "chat" },
  },
  {
    name: "two sub-protocols",
    headers: { [protocol]: "chat, superchat" },
    status: 101,
    answer: { "sec-websocket-protocol": "chat" },
  },
  {
    name: "sub-protocols in two headers",
    headers: { [protocol]: ["chat", "superchat"] },
    status: 101,
    answer: { "sec-websocket-protocol": "chat" },
  },
];

const refused: readonly Request[] = [
  { name: "no Upgrade", headers: { Upgrade: undefined }, status: 426, answer: upgradeRequired },
  { name: "another Upgrade", headers: { Upgrade: "h2c" }, status: 426, answer: upgradeRequired },
  {
    name: "an Upgrade that begins alike",
    headers: { Upgrade: "websocket2" },
    status: 426,
    answer: upgradeRequired,
  },
  { name: "no Connection", headers: { Connection: undefined }, status: 426, answer: upgradeRequired },
  {
    name: "a Connection that stays",
    headers: { Connection: "keep-alive" },
    status: 426,
    answer: upgradeRequired,
  },
  { name: "no version", headers: { [version]: undefined }, status: 426, answer: upgradeRequired },
  ...["0", "7", "8", "12", "14", "130", "013", "13.0", "+13", "thirteen", "", "13, 8"].map(
    (value): Request => ({
      name: `version "${value}"`,
      headers: { [version]: value },
      status: 426,
      answer: upgradeRequired,
    }),
  ),
  { name: "two versions", headers: { [version]: ["13", "8"] }, status: 426, answer: upgradeRequired },
  // Without a key, uWS does not detect a handshake; the response is the same as for an invalid one.
  { name: "no key", headers: { [key]: undefined }, status: 400 },
  ...[
    "", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
    "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZWU=", "dGhlIHNhbXBsZSBub25jZWVl", "dGhlIHNhbXBsZSBub25jZ!==",
    "dGhlIHNhbXBs ZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j_-==",
  ].map((value): Request => ({ name: `key "${value}"`, headers: { [key]: value }, status: 400 })), // biome-ignore format: a list
  {
    name: "two keys",
    headers: { [key]: ["dGhlIHNhbXBsZSBub25jZQ==", "x3JJHMbDL1EzLkh9GBhXDw=="] },
    status: 400,
  },
  ...["a b", "chat, super chat", "a/b", "a@b", '"chat"', "chat;q=1", "{}"].map(
    (value): Request => ({ name: `sub-protocol ${value}`, headers: { [protocol]: value }, status: 400 }),
  ),
  { name: "HTTP/1.0", requestLine: "GET /echo HTTP/1.0", status: 505 },
  { name: "no Host", headers: { Host: undefined }, status: 400 },
  { name: "HEAD", requestLine: "HEAD /echo HTTP/1.1", status: 400 },
  {
    name: "OPTIONS",
    requestLine: "OPTIONS /echo HTTP/1.1",
    status: 405,
    answer: { allow: "GET, HEAD, POST" },
  },
  { name: "a method in lower case", requestLine: "get /echo HTTP/1.1", status: 405 },
  { name: "a path that has no endpoint", requestLine: "GET /nothing HTTP/1.1", status: 404 },
  { name: "a path in other case", requestLine: "GET /ECHO HTTP/1.1", status: 404 },
  { name: "a path of the HTTP side", requestLine: "GET /livez HTTP/1.1", status: 200 },
];

for (const [family, requests] of Object.entries({ accepted, refused })) {
  test(`handshakes that are ${family}`, async (t) => {
    for (const { name, headers, requestLine, status, answer = {} } of requests) {
      await t.test(name, async (t) => {
        const raw = await connectRaw(t, authority());
        await raw.send(handshake(headers, requestLine));
        const head = await raw.readHead();
        assert.equal(head.status, status);
        for (const [header, value] of Object.entries(answer)) {
          assert.equal(head.headers[header] ?? "", value, header);
        }
        if (status === 101) {
          await assertOpen(raw);
        }
      });
    }
  });
}

// uWS answers 505 to a request line in pieces, so the request line stays whole.
test("accepts a handshake whose headers arrive byte by byte", async (t) => {
  const raw = await connectRaw(t, authority());
  const whole = handshake();
  const headersAt = whole.indexOf("\r\n") + 2;
  await raw.send(whole.slice(0, headersAt));
  await raw.send(whole.slice(headersAt), 1);
  assert.equal((await raw.readHead()).status, 101);
  await assertOpen(raw);
});

test("after a refusal, the same connection can try again", async (t) => {
  const raw = await connectRaw(t, authority());
  await raw.send(handshake({ [version]: "8" }));
  const refusal = await raw.readHead();
  assert.equal(refusal.status, 426);
  await raw.read(Number(refusal.headers["content-length"]));
  await raw.send(handshake());
  assert.equal((await raw.readHead()).status, 101);
  await raw.send(frame(opcode.text, "hello"));
  await assertNextFrame(raw, expected(opcode.text, "hello"));
});

test("every refusal of a handshake is counted by its reason", async (t) => {
  const server = await startServer(t);
  const refusals: [Headers, string][] = [
    [{ Upgrade: "h2c" }, "not_websocket"],
    [{ [version]: "8" }, "bad_version"],
    [{ [key]: "short" }, "bad_key"],
    [{ [protocol]: "a b" }, "bad_subprotocol"],
  ];
  for (const [headers] of refusals) {
    const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
    await raw.send(handshake(headers));
    await raw.readHead();
  }
  const stats = await server.stats();
  for (const [, reason] of refusals) {
    assert.equal(stats[`echo_upgrades_rejected_total{reason="${reason}"}`], 1, reason);
  }
  assert.equal(stats["echo_connections_opened_total"], 0);
});

test("the choice of a sub-protocol follows the option", async (t) => {
  const table = [
    { subprotocols: "mqtt,stomp", offer: "stomp, mqtt", chosen: "mqtt" },
    { subprotocols: "mqtt,stomp", offer: "wamp,stomp", chosen: "stomp" },
    { subprotocols: "mqtt,stomp", offer: "wamp", chosen: undefined },
    { subprotocols: "mqtt", offer: "MQTT", chosen: undefined },
    { subprotocols: "none", offer: "wamp", chosen: undefined },
    { subprotocols: "any", offer: "wamp, mqtt", chosen: "wamp" },
  ];
  for (const { subprotocols, offer, chosen } of table) {
    const server = await startServer(t, { subprotocols });
    const raw = await connectRaw(t, `127.0.0.1:${server.port}`);
    await raw.send(handshake({ [protocol]: offer }));
    const { status, headers } = await raw.readHead();
    assert.equal(status, 101);
    assert.equal(headers["sec-websocket-protocol"], chosen, `${subprotocols} and an offer of ${offer}`);
  }
});
