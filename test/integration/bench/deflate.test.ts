// permessage-deflate on the raw engine, over real sockets: against our server, `ws`, and targets that decline or misbehave.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { deflateRawSync, constants as zlib } from "node:zlib";
import { type PerMessageDeflateOptions, WebSocketServer } from "ws";
import type { Endpoint } from "../../../bench/engine/connection.ts";
import { makePayload, type Verify } from "../../../bench/engine/payload.ts";
import type { WebSocketScenario } from "../../../bench/measure/scenario.ts";
import { reportSession } from "../../../bench/measure/session-report.ts";
import type { Result } from "../../../bench/result/schema.ts";
import { startServer } from "../../support/echo-server.ts";
import {
  type ClientMessage,
  frame,
  type MisbehavingServer,
  startMisbehavingServer,
  switchingProtocols,
} from "../../support/misbehaving-server.ts";
import { measureReal, onlyError, resultOf } from "../../support/real-load.ts";
import { groupOf, listen, runHere, sessionWith } from "../../support/real-session.ts";

const verifies: Verify[] = ["none", "length", "full"];
const payloads = [3000, 64, 20_000].map((bytes, i) => makePayload(bytes, "text", "words", i));

async function measureDeflate(
  url: string,
  endpoint: Partial<Endpoint> = {},
  changes: Partial<WebSocketScenario> = {},
): Promise<Result> {
  const outcome = await measureReal(
    url,
    { engine: "raw", loop: { kind: "closed", depth: 4 }, durationMs: 400, ...changes },
    { deflate: true, type: "text", payloads, ...endpoint },
  );
  return resultOf(outcome);
}

/** Complete, and compressed in both directions. */
function assertCompressed(result: Result, what: string): void {
  assert.deepEqual(result.errors, {}, what);
  assert.deepEqual(result.failures, [], what);
  assert.equal(result.connects?.compressed, result.connections.opened, what);
  assert.ok(result.messages.received > 10, what);
  assert.equal(result.messages.sent, result.messages.received, what);
  const { wire } = result;
  const contentBytes = (result.messages.received * 23_064) / 3;
  assert.ok(
    wire !== null && wire.sentBytes < 0.7 * contentBytes && wire.receivedBytes < 0.7 * contentBytes,
    what,
  );
}

/** A `ws` server that echoes, with the extension of each connection. */
async function startWs(t: TestContext, perMessageDeflate: PerMessageDeflateOptions) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate });
  const extensions: string[] = [];
  server.on("headers", (headers) => {
    extensions.push(headers.find((line) => /^sec-websocket-extensions:/i.test(line)) ?? "none");
  });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return { url: await listen(t, server), extensions };
}

/** A target that agrees to compression, and replies with `reply` to every message. */
function startAgreeing(
  t: TestContext,
  reply: (message: ClientMessage) => Buffer,
  parameters = "",
): Promise<MisbehavingServer> {
  return startMisbehavingServer(t, {
    handshake: (accept) =>
      switchingProtocols(accept, `Sec-WebSocket-Extensions: permessage-deflate${parameters}`),
    reply,
  });
}

describe("a raw engine that offers permessage-deflate", () => {
  for (const compression of ["shared", "dedicated"] as const) {
    test(`is echoed by our own server with --compression ${compression}, whatever it verifies`, async (t) => {
      const server = await startServer(t, { compression, compressionMinSize: 0 });
      for (const verify of verifies) {
        assertCompressed(await measureDeflate(server.urls.echo, { verify }), verify);
      }
    });
  }

  test("takes what a server sends uncompressed", async (t) => {
    const server = await startServer(t, { compression: "shared", compressionMinSize: 5000 });
    const result = await measureDeflate(server.urls.echo, { verify: "full" });
    assert.deepEqual([result.errors, result.failures], [{}, []]);
    assert.equal(result.connects?.compressed, 2);
  });

  const agreements: [string, PerMessageDeflateOptions, RegExp][] = [
    ["keeps its context", {}, /permessage-deflate; client_no_context_takeover$/],
    ["keeps no context", { serverNoContextTakeover: true }, /server_no_context_takeover/],
    ["limits our window", { clientMaxWindowBits: 9 }, /client_max_window_bits=9/],
  ];
  for (const [name, options, expected] of agreements) {
    test(`is echoed by a ws server that ${name}`, async (t) => {
      const { url, extensions } = await startWs(t, { threshold: 0, ...options });
      for (const verify of verifies) {
        assertCompressed(await measureDeflate(url, { verify }), verify);
      }
      assert.match(extensions[0] ?? "", expected);
    });
  }

  test("follows the context of a target from the reply to its first message on", async (t) => {
    const { url } = await startWs(t, { threshold: 0 });
    const text = Buffer.from(payloads[0] ?? []).toString();
    for (const replies of [1, undefined]) {
      const result = await measureDeflate(url, { verify: "full", firstMessage: { text, replies } });
      assertCompressed(result, `${replies} replies`);
    }
  });

  test("can ask a server for a smaller window with a header of its own", async (t) => {
    const { url, extensions } = await startWs(t, { threshold: 0 });
    const offer = "permessage-deflate; client_no_context_takeover; server_max_window_bits=10";
    const headers = [["Sec-WebSocket-Extensions", offer]] as const;
    assertCompressed(await measureDeflate(url, { verify: "full", headers }), "full");
    assert.match(extensions[0] ?? "", /server_max_window_bits=10/);
  });

  test("sends uncompressed to a target that declines, and says so", async (t) => {
    const received: Buffer[] = [];
    const { url } = await startMisbehavingServer(t, {
      reply: ({ opcode, payload }) => {
        received.push(payload);
        return frame(opcode, payload);
      },
    });
    const result = await measureDeflate(url, { verify: "length" });
    assert.deepEqual([result.errors, result.failures], [{}, []]);
    assert.equal(result.connects?.compressed, 0);
    assert.match(
      result.warnings.join(),
      /permessage-deflate was offered, but declined on 2 of 2 connections/,
    );
    assert.deepEqual(received[0], Buffer.from(payloads[0] ?? []));
  });

  test("refuses an answer that it did not offer", async (t) => {
    const { url } = await startAgreeing(t, () => frame(1, ""), "; server_max_window_bits=99");
    const outcome = await measureReal(url, {}, { deflate: true });
    assert.match(onlyError(outcome), /^handshake-invalid: .*server_max_window_bits=99/);
  });

  for (const [context, parameters] of [
    ["keeps its context", ""],
    ["keeps none", "; server_no_context_takeover"],
  ] as const) {
    test(`counts garbage of a target that ${context} as corrupt, and stays connected`, async (t) => {
      const reply = ({ payload, index }: ClientMessage): Buffer =>
        frame(1, index % 3 === 1 ? Buffer.alloc(200, 0xff) : payload, { reservedBits: 0x40 });
      const { url } = await startAgreeing(t, reply, parameters);
      for (const verify of ["length", "full"] as const) {
        const result = await measureDeflate(url, { verify });
        assert.deepEqual(Object.keys(result.errors), ["invalid-deflate"]);
        assert.ok(result.messages.corrupt > 2 && result.messages.received > result.messages.corrupt);
        assert.equal(result.messages.corrupt, result.errors["invalid-deflate"]);
        assert.equal(result.connections.closedEarly, 0);
        assert.equal(result.verdict, "invalid");
      }
    });
  }

  test("finds compressed replies with a wrong byte, a wrong length and a wrong type", async (t) => {
    const compressed = (opcode: number, text: string): Buffer =>
      frame(opcode, deflateRawSync(text, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4), {
        reservedBits: 0x40,
      });
    const own = { payloads: [Buffer.from("a".repeat(100))] };
    for (const [kind, verify, reply] of [
      ["wrong-sequence", "full", compressed(1, "a".repeat(100))],
      ["wrong-length", "length", compressed(1, "a".repeat(99))],
      ["wrong-type", "length", compressed(2, "a".repeat(100))],
    ] as const) {
      const { url } = await startAgreeing(t, () => reply);
      const outcome = await measureReal(url, {}, { ...own, deflate: true, type: "text", verify });
      assert.deepEqual(Object.keys(outcome.errors), [kind]);
    }
  });

  test("does not decompress a bomb beyond its limit, and ends that connection", async (t) => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { finishFlush: zlib.Z_SYNC_FLUSH });
    const reply = frame(1, bomb.subarray(0, -4), { reservedBits: 0x40 });
    const { url } = await startAgreeing(t, () => reply);
    const outcome = await measureReal(url, { durationMs: 2000 }, { deflate: true, verify: "length" });
    assert.deepEqual(Object.keys(outcome.errors), ["protocol-oversized-message"]);
  });
});

describe("traffic other than echoes in order", () => {
  const content = Buffer.from(makePayload(2000, "text", "words", 1));

  test("is compressed on its way and read on its return", async (t) => {
    const { url, extensions } = await startWs(t, { threshold: 0 });
    const scenario = sessionWith(url, [
      groupOf("stamped", 2, {
        kind: "echo",
        loop: { kind: "closed", depth: 2 },
        match: "stamp",
        messages: { payloads: [{ content, weight: 1 }], type: "text", verify: "none" },
      }),
      groupOf("script", 1, {
        kind: "script",
        type: "text",
        steps: [
          { kind: "send", content },
          { kind: "expect", contains: content.subarray(500, 900) },
          { kind: "think", ms: 20, isExponential: false },
        ],
      }),
    ]);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, deflate: true } });
    assert.deepEqual(outcome.errors, {});
    const [step] = outcome.steps;
    assert.ok((step?.groups["stamped"]?.counters.answered ?? 0) > 5);
    assert.equal(step?.groups["stamped"]?.counters.lost, 0);
    assert.ok((step?.groups["script"]?.counters.received ?? 0) > 0);
    assert.equal(extensions.length, 3);
    const { wireSent = 0, sent = 1 } = step?.groups["stamped"]?.counters ?? {};
    assert.ok(wireSent < 0.7 * sent * content.length);
  });

  test("is reported as declined", async (t) => {
    const { url } = await startMisbehavingServer(t);
    const scenario = sessionWith(url, [groupOf("pings", 2, { kind: "ping", intervalMs: 50 })]);
    const offering = { ...scenario, target: { ...scenario.target, deflate: true } };
    const report = reportSession(
      { label: null, scenario: offering, thresholds: [] },
      await runHere(offering),
    );
    assert.match(
      report.warnings.join(),
      /permessage-deflate was offered, but declined on 2 of 2 connections/,
    );
  });

  test("counts what it cannot decompress", async (t) => {
    const garbage = frame(1, Buffer.alloc(200, 0xff), { reservedBits: 0x40 });
    const { url } = await startAgreeing(t, () => garbage);
    const scenario = sessionWith(url, [
      groupOf("script", 1, {
        kind: "script",
        type: "text",
        steps: [
          { kind: "send", content },
          { kind: "think", ms: 20, isExponential: false },
        ],
      }),
    ]);
    const outcome = await runHere({ ...scenario, target: { ...scenario.target, deflate: true } });
    assert.deepEqual(Object.keys(outcome.errors), ["invalid-deflate"]);
  });
});
