// Both engines over real sockets against well-behaved targets: they measure correctly, and the same.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import type { EngineName } from "../../../bench/engine/connection.ts";
import { createRawEngine } from "../../../bench/engine/raw.ts";
import { createWsEngine } from "../../../bench/engine/ws.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { startServer } from "../../support/echo-server.ts";
import {
  type ClientMessage,
  echo,
  startMisbehavingServer,
  switchingProtocols,
} from "../../support/misbehaving-server.ts";
import { measureReal, onlyError, resultOf } from "../../support/real-load.ts";
import { startServer as startListener } from "../../support/real-session.ts";
import { startSecureServer } from "../../support/secure.ts";
import { exampleScenario } from "../../support/virtual-world.ts";
import { inTime } from "../../support/wait.ts";

const engines: EngineName[] = ["raw", "ws"];

/** Echoes each message after a fixed time, in order. */
function afterMs(delayMs: number): (message: ClientMessage) => undefined {
  return (message) => {
    setTimeout(() => {
      if (message.socket.writable) {
        message.socket.write(echo(message));
      }
    }, delayMs);
  };
}

/** Echoes all messages of a connection but the first one, which `greet` gets. */
async function startTokenServer(
  t: TestContext,
  greet: (socket: WebSocket, token: string) => void,
): Promise<string> {
  return startListener(t, (socket) => {
    socket.once("message", (token: Buffer) => {
      greet(socket, token.toString());
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
  });
}

for (const engine of engines) {
  describe(`the engine ${engine}`, () => {
    test("counts on our own server exactly what the server counts", async (t) => {
      const server = await startServer(t);
      const outcome = await measureReal(
        server.urls.echo,
        { engine, loop: { kind: "closed", depth: 16 }, connections: 4 },
        { verify: "full", type: "text", payloads: [Buffer.from("x".repeat(100))] },
      );
      const result = resultOf(outcome);
      assert.deepEqual(result.failures, []);
      assert.ok(result.messages.received > 100);
      assert.equal(result.messages.sent, result.messages.received);
      const counted = await server.stats();
      assert.equal(counted['echo_messages_received_total{type="text"}'], result.messages.received);
    });

    for (const loop of [
      { kind: "closed", depth: 1 } as const,
      { kind: "open", ratePerSecond: 200, arrivals: "even" } as const,
    ]) {
      test(`never measures less than a fixed delay of 20 ms in the ${loop.kind} loop`, async (t) => {
        const { url } = await startMisbehavingServer(t, { reply: afterMs(20) });
        const result = resultOf(await measureReal(url, { engine, loop, durationMs: 400 }));
        assert.deepEqual(result.failures, []);
        assert.ok((result.summary.latencyUs?.min ?? 0) >= 19_000, JSON.stringify(result.summary.latencyUs));
        assert.ok((result.summary.serviceUs?.min ?? 0) >= 19_000);
      });
    }

    test("shows a stall of the target in an open loop's latency", async (t) => {
      let stalledUntil = 0;
      const reply = (message: ClientMessage): Buffer | undefined => {
        if (message.index === 50 && stalledUntil === 0) {
          stalledUntil = performance.now() + 300;
        }
        const waitMs = stalledUntil - performance.now();
        if (waitMs <= 0) {
          return echo(message);
        }
        setTimeout(() => message.socket.write(echo(message)), waitMs);
        return undefined;
      };
      const { url } = await startMisbehavingServer(t, { reply });
      const result = resultOf(
        await measureReal(url, {
          engine,
          connections: 1,
          durationMs: 800,
          loop: { kind: "open", ratePerSecond: 200, arrivals: "even" },
        }),
      );
      assert.equal(result.messages.sent, 160);
      assert.ok((result.summary.latencyUs?.p90 ?? 0) > 150_000, JSON.stringify(result.summary.latencyUs));
    });

    test("accepts only certificates of the given authority", async (t) => {
      const files = await makeCertificates(t);
      const tls = { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
      const { url } = await startMisbehavingServer(t, { tls });
      const trusted = await measureReal(
        url,
        { engine },
        { caPem: readFileSync(files.ca, "utf8"), verify: "full" },
      );
      assert.deepEqual(resultOf(trusted).failures, []);
      const distrusted = await measureReal(url, { engine });
      assert.equal(distrusted.kind, "nothing");
      assert.match(
        onlyError(distrusted),
        /^tls-failed: TLS with 127\.0\.0\.1:\d+ failed: .*certificate \(--ca FILE .* --insecure any certificate\)$/,
      );
      const insecure = await measureReal(url, { engine }, { insecure: true });
      assert.deepEqual(resultOf(insecure).failures, []);
    });

    test("shows its own certificate, and checks the target's for the name that it is given", async (t) => {
      const { server, files, ca } = await startSecureServer(t, ({ ca }) => ({
        tlsCa: ca,
        tlsClientAuth: "require",
      }));
      const own = {
        certPem: readFileSync(files.clientCert, "utf8"),
        keyPem: readFileSync(files.clientKey, "utf8"),
      };
      const url = `wss://echo.test:${new URL(server.urls.echo).port}/echo`;
      const endpoint = { caPem: ca.toString(), addresses: { "echo.test": "127.0.0.1" }, ...own };
      const named = await measureReal(url, { engine }, { ...endpoint, servername: "localhost" });
      assert.deepEqual(resultOf(named).failures, []);
      const unnamed = await measureReal(url, { engine }, endpoint);
      assert.match(onlyError(unnamed), /^tls-failed: .*echo\.test/);
      const anonymous = await measureReal(
        url,
        { engine },
        { ...endpoint, servername: "localhost", certPem: undefined, keyPem: undefined },
      );
      assert.equal(anonymous.kind, "nothing");
    });

    test("gives each connection its own URL and headers, and connects from the given addresses", async (t) => {
      const requests: string[] = [];
      const sources = new Set<string | undefined>();
      const target = createServer();
      const echoes = new WebSocketServer({ server: target });
      echoes.on("connection", (socket, request) => {
        requests.push(`${request.url} ${request.headers["authorization"]} ${request.headers["x-id"]}`);
        sources.add(request.socket.remoteAddress);
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      await once(target.listen(0, "127.0.0.1"), "listening");
      t.after(() => {
        echoes.close();
        target.close();
      });
      const { port } = target.address() as AddressInfo;
      const outcome = await measureReal(
        `ws://127.0.0.1:${port}/user/{connection}?token={line:tokens}`,
        { engine, connections: 3, sources: ["127.0.0.2", "127.0.0.3"], part: { number: 2, of: 2 } },
        {
          headers: [
            ["Authorization", "Bearer {line:tokens}"],
            ["X-Id", "{sequence} {uuid}"],
          ],
          templateLines: { tokens: ["a b", "c&d"] },
        },
      );
      assert.deepEqual(resultOf(outcome).failures, []);
      assert.deepEqual([...sources].sort(), ["127.0.0.2", "127.0.0.3"]);
      const uuid = "[0-9a-f]{8}-[0-9a-f-]{27}";
      for (const [i, number] of [1, 3, 5].entries()) {
        const expected = `^/user/${number}\\?token=c%26d Bearer c&d ${number} ${uuid}$`;
        assert.match(requests.sort()[i] ?? "", new RegExp(expected));
      }
    });

    test("sends each connection's first message before its load, whose replies do not shift the checks", async (t) => {
      for (const [greets, replies] of [
        ["at once", undefined],
        ["not at all", undefined],
        ["not at all", 0],
        ["later", 2],
      ] as const) {
        const first: string[] = [];
        const url = await startTokenServer(t, (socket, token) => {
          first.push(token);
          if (greets === "at once") {
            socket.send("welcome");
          } else if (greets === "later") {
            setTimeout(() => ["welcome", "ready"].forEach((text) => void socket.send(text)), 20);
          }
        });
        const outcome = await measureReal(
          url,
          { engine, loop: { kind: "closed", depth: 3 }, durationMs: 500 },
          {
            verify: "full",
            firstMessage: { text: '{"token":"{line:tokens}","c":{connection}}', replies },
            templateLines: { tokens: ["a", "b"] },
          },
        );
        const { failures, messages } = resultOf(outcome);
        assert.deepEqual(failures, [], greets);
        assert.deepEqual(first.sort(), ['{"token":"a","c":0}', '{"token":"b","c":1}']);
        assert.equal(messages.received, messages.sent);
      }
    });

    test("says why a first message did not open a connection", async (t) => {
      const refusing = await startTokenServer(t, (socket) => socket.close(1008, "bad token"));
      const firstMessage = { text: "token", replies: 1 };
      const refused = await measureReal(refusing, { engine }, { firstMessage });
      assert.equal(refused.kind, "nothing");
      assert.match(onlyError(refused), /^closed-1008: .*bad token/);
      const silent = await startTokenServer(t, () => undefined);
      const unanswered = await measureReal(silent, { engine }, { firstMessage, timeoutMs: 100 });
      assert.match(onlyError(unanswered), /^first-message-timeout: 0 of 1 replies to the first message from/);
      const { url } = await startMisbehavingServer(t, { onControl: () => undefined });
      const ping = { text: "token", replies: undefined };
      const deaf = await measureReal(url, { engine }, { firstMessage: ping, timeoutMs: 100 });
      assert.match(onlyError(deaf), /^first-message-timeout: no pong after the first message/);
    });

    test("fails over TLS with a target without TLS", async (t) => {
      const { url } = await startMisbehavingServer(t);
      const outcome = await measureReal(url.replace("ws:", "wss:"), { engine }, { timeoutMs: 500 });
      assert.match(onlyError(outcome), /^(?:tls-failed|handshake-timeout)/);
    });

    test("sends the requested handshake", async (t) => {
      const requests: string[] = [];
      const handshake = (accept: string, request: string): string => {
        requests.push(request);
        return `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: b\r\n\r\n`;
      };
      const { url } = await startMisbehavingServer(t, { handshake });
      const outcome = await measureReal(
        `${url}?a=b`,
        { engine, connections: 1 },
        { headers: [["X-Test", "7"]], subprotocols: ["a", "b"], origin: "https://example.test" },
      );
      assert.deepEqual(resultOf(outcome).failures, []);
      assert.match(requests[0] ?? "", /^GET \/echo\?a=b HTTP\/1\.1\r\n/);
      for (const line of [
        /x-test: 7/i,
        /sec-websocket-protocol: a, ?b/i,
        /origin: https:\/\/example\.test/i,
      ]) {
        assert.match(requests[0] ?? "", line);
      }
    });
  });
}

test("the engine ws speaks permessage-deflate, and the Result says so", async (t) => {
  const server = await startServer(t, { compression: "shared" });
  const payloads = [Buffer.from("again and ".repeat(1000))];
  const outcome = await measureReal(
    server.urls.echo,
    { engine: "ws" },
    { deflate: true, verify: "full", payloads },
  );
  const result = resultOf(outcome);
  assert.deepEqual(result.failures, []);
  assert.equal(result.scenario.compression, true);
});

test("tries all addresses of a name", async (t) => {
  const { port } = await startMisbehavingServer(t);
  const outcome = await measureReal(`ws://localhost:${port}/`, {}, { verify: "full" });
  assert.deepEqual(resultOf(outcome).failures, []);
});

for (const engine of engines) {
  test(`the engine ${engine} connects from the given loopback address`, async (t) => {
    const addresses: (string | undefined)[] = [];
    const handshake = (accept: string, _request: string, socket: ClientMessage["socket"]): string => {
      addresses.push(socket.remoteAddress);
      return switchingProtocols(accept);
    };
    const { url } = await startMisbehavingServer(t, { handshake });
    const { endpoint } = exampleScenario();
    const open = engine === "raw" ? createRawEngine : createWsEngine;
    await inTime(
      new Promise<void>((resolve) => {
        open({ ...endpoint, url })(0, "127.0.0.2", {
          onStage: () => undefined,
          onOpen: (connection) => connection.close(),
          onReplies: () => undefined,
          onBadReply: () => undefined,
          onUnasked: () => undefined,
          onEnding: () => undefined,
          onMissing: () => undefined,
          onMessage: () => undefined,
          onPong: () => undefined,
          onClosed: () => resolve(),
        });
      }),
      "a connection that opens and closes",
    );
    assert.deepEqual(addresses, ["127.0.0.2"]);
  });
}

test("reports declined compression", async (t) => {
  const { url } = await startMisbehavingServer(t);
  const result = resultOf(await measureReal(url, { engine: "ws" }, { deflate: true }));
  assert.equal(result.scenario.compression, true);
  assert.equal(result.connects?.compressed, 0);
  assert.match(result.warnings.join(), /permessage-deflate was offered, but declined on 2 of 2 connections/);
});
