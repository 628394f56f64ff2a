// Every fault of a target, over real sockets, on both engines where possible.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import type { EngineName } from "../../../bench/engine/connection.ts";
import {
  type ClientMessage,
  echo,
  frame,
  startMisbehavingServer,
  switchingProtocols,
} from "../../support/misbehaving-server.ts";
import { measureReal, onlyError, resultOf } from "../../support/real-load.ts";

const engines: EngineName[] = ["raw", "ws"];

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

for (const engine of engines) {
  describe(`with the engine ${engine}, a target`, () => {
    test("that does not exist is unreachable", async () => {
      const outcome = await measureReal(`ws://127.0.0.1:${await closedPort()}/`, { engine });
      assert.equal(outcome.kind, "nothing");
      assert.match(onlyError(outcome), /^unreachable: cannot reach 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
      assert.equal(outcome.errors["unreachable"]?.count, 2);
    });

    test("with a name that does not exist is unreachable", async () => {
      const outcome = await measureReal("ws://no-such-host.invalid/", { engine, connections: 1 });
      assert.match(onlyError(outcome), /^unreachable: .*(?:ENOTFOUND|EAI_AGAIN)/);
    });

    test("that closes during the run is measured until then", async (t) => {
      const reply = (message: ClientMessage): Buffer =>
        message.index < 50
          ? echo(message)
          : frame(8, Buffer.concat([Buffer.from([3, 233]), Buffer.from("bye")]));
      const { url } = await startMisbehavingServer(t, { reply });
      const outcome = await measureReal(url, { engine, durationMs: 20_000 });
      const result = resultOf(outcome);
      assert.equal(result.messages.received, 100);
      assert.equal(result.messages.lost, 2);
      assert.equal(result.connections.closedEarly, 2);
      assert.match(result.partial?.reason ?? "", /the target ended every connection/);
      assert.match(
        onlyError(outcome),
        /^closed-1001: the target closed the connection with code 1001 \(bye\)/,
      );
    });

    test("that drops the connection without a close frame is recognized", async (t) => {
      const reply = (message: ClientMessage): Buffer | undefined => {
        if (message.index < 5) {
          return echo(message);
        }
        message.socket.end();
        return undefined;
      };
      const { url } = await startMisbehavingServer(t, { reply });
      assert.match(onlyError(await measureReal(url, { engine })), /^closed-1006: .*without a close frame/);
    });

    test("that is killed is measured until then", async (t) => {
      let count = 0;
      const reply = (message: ClientMessage): Buffer => {
        count += 1;
        if (count === 100) {
          void server.kill();
        }
        return echo(message);
      };
      const server = await startMisbehavingServer(t, { reply });
      const outcome = await measureReal(server.url, { engine, durationMs: 20_000 });
      const result = resultOf(outcome);
      assert.ok(result.partial !== null);
      assert.ok(result.messages.received >= 90, `${result.messages.received}`);
      assert.equal(result.connections.closedEarly, 2);
      assert.ok(result.window.seconds < 15);
      assert.equal(
        Object.values(outcome.errors).reduce((sum, { count: n }) => sum + n, 0),
        2,
      );
    });

    test("that never answers leaves nothing measured", async (t) => {
      const { url } = await startMisbehavingServer(t, { reply: () => undefined });
      const outcome = await measureReal(url, { engine, durationMs: 1000 }, { timeoutMs: 1000 });
      assert.match(outcome.kind === "nothing" ? outcome.reason : "", /no good reply came to 2 messages/);
    });

    test("that leaves out replies loses messages", async (t) => {
      const reply = (message: ClientMessage): Buffer | undefined =>
        message.index === 20 ? undefined : echo(message);
      const { url } = await startMisbehavingServer(t, { reply });
      const result = resultOf(await measureReal(url, { engine, durationMs: 1000 }, { timeoutMs: 1000 }));
      assert.equal(result.messages.lost, 2);
      assert.equal(result.verdict, "invalid");
      assert.match(result.failures.join(), /2 messages were lost/);
    });

    test("that answers with other bytes is detected only by --verify full", async (t) => {
      const reply = ({ opcode, payload, index }: ClientMessage): Buffer => {
        if (index === 10) {
          payload[40] = (payload[40] ?? 0) ^ 1;
        }
        return frame(opcode, payload);
      };
      const { url } = await startMisbehavingServer(t, { reply });
      const full = await measureReal(url, { engine }, { verify: "full" });
      assert.match(onlyError(full), /^wrong-bytes: a reply was not the message sent/);
      assert.equal(resultOf(full).messages.corrupt, 2);
      assert.equal(resultOf(full).verdict, "invalid");
      assert.deepEqual((await measureReal(url, { engine }, { verify: "length" })).errors, {});
    });

    test("that answers in another order is detected by the sequence numbers", async (t) => {
      let kept: Buffer | undefined;
      const reply = (message: ClientMessage): Buffer | undefined => {
        if (message.index === 4) {
          kept = echo(message);
          return undefined;
        }
        return message.index === 5 ? Buffer.concat([echo(message), kept ?? Buffer.alloc(0)]) : echo(message);
      };
      const { url } = await startMisbehavingServer(t, { reply });
      const outcome = await measureReal(
        url,
        { engine, connections: 1, loop: { kind: "closed", depth: 4 } },
        { verify: "full" },
      );
      assert.match(onlyError(outcome), /^reordered-reply/);
      assert.equal(resultOf(outcome).messages.lost, 1);
      assert.equal(resultOf(outcome).verdict, "invalid");
    });

    test("that greets is reported, and its replies are checked like any other", async (t) => {
      const { url } = await startMisbehavingServer(t, { greeting: frame(2, "welcome, whoever you are") });
      for (const verify of ["none", "length", "full"] as const) {
        const outcome = await measureReal(url, { engine }, { verify });
        assert.match(onlyError(outcome), /^surplus-reply/, verify);
        assert.equal(outcome.errors["surplus-reply"]?.count, 2);
        assert.equal(resultOf(outcome).messages.corrupt, 0);
      }
    });

    test("that answers once twice is valid again from the next reply on", async (t) => {
      const reply = (message: ClientMessage): Buffer =>
        message.index === 10 ? Buffer.concat([echo(message), echo(message)]) : echo(message);
      const { url } = await startMisbehavingServer(t, { reply });
      const outcome = await measureReal(url, { engine }, { verify: "full" });
      assert.match(onlyError(outcome), /^duplicate-reply/);
      assert.equal(outcome.errors["duplicate-reply"]?.count, 2);
      const { sent, received, corrupt } = resultOf(outcome).messages;
      assert.deepEqual([received, corrupt], [sent, 0]);
    });

    test("that answers after the timeout loses only that message", async (t) => {
      const reply = (message: ClientMessage): Buffer | undefined => {
        if (message.index !== 5) {
          return echo(message);
        }
        setTimeout(() => message.socket.writable && message.socket.write(echo(message)), 900);
        return undefined;
      };
      const { url } = await startMisbehavingServer(t, { reply });
      const outcome = await measureReal(
        url,
        { engine, durationMs: 1500 },
        { verify: "full", timeoutMs: 500 },
      );
      const { sent, received, lost } = resultOf(outcome).messages;
      assert.ok(lost >= 2, `${lost} lost`);
      assert.equal(sent, received + lost);
      assert.ok(received > 12, "it went on after the late reply");
      assert.deepEqual(outcome.errors, {});
    });

    test("that reads nothing does not fill the memory", async (t) => {
      const { url } = await startMisbehavingServer(t, {
        handshake: (accept, _request, socket) => {
          socket.pause();
          return switchingProtocols(accept);
        },
      });
      let peakBytes = 0;
      const watch = setInterval(() => {
        peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers);
      }, 10);
      const before = process.memoryUsage().arrayBuffers;
      await measureReal(
        url,
        { engine, loop: { kind: "closed", depth: 64 }, durationMs: 300 },
        { verify: "full", payloads: [new Uint8Array(4 * 1024 * 1024)], timeoutMs: 300 },
      );
      clearInterval(watch);
      assert.ok(peakBytes - before < 128 * 1024 * 1024, `${(peakBytes - before) / 2 ** 20} MiB`); // of 512 MiB
    });

    test("gets every header, including repeated ones", async (t) => {
      let request = "";
      const handshake = (accept: string, head: string): string => {
        request = head;
        return switchingProtocols(accept);
      };
      const { url } = await startMisbehavingServer(t, { handshake });
      const headers = [
        ["X-A", "b"],
        ["X-A", "c"],
        ["X-B", "d"],
      ] as const;
      await measureReal(url, { engine, connections: 1 }, { headers });
      assert.match(request, /X-A: b\r\nX-A: c\r\nX-B: d/);
    });

    test("that answers with another length or type is corrupt", async (t) => {
      const longer = (message: ClientMessage): Buffer =>
        message.index === 3 ? frame(message.opcode, Buffer.alloc(65)) : echo(message);
      const { url } = await startMisbehavingServer(t, { reply: longer });
      assert.match(onlyError(await measureReal(url, { engine })), /^wrong-length/);
      const text = (message: ClientMessage): Buffer =>
        message.index === 3 ? frame(1, Buffer.alloc(64, 65)) : echo(message);
      const other = await startMisbehavingServer(t, { reply: text });
      assert.match(onlyError(await measureReal(other.url, { engine })), /^wrong-type/);
    });

    test("that answers too often sends surplus replies", async (t) => {
      const twice = (message: ClientMessage): Buffer =>
        message.index === 7 ? Buffer.concat([echo(message), echo(message)]) : echo(message);
      const { url } = await startMisbehavingServer(t, { reply: twice });
      const outcome = await measureReal(url, { engine, connections: 1, durationMs: 500 });
      assert.match(onlyError(outcome), /^surplus-reply: more replies arrived than messages were sent/);
    });

    test("that greets unasked sends a surplus reply too", async (t) => {
      const { url } = await startMisbehavingServer(t, { greeting: frame(2, Buffer.alloc(64)) });
      const outcome = await measureReal(url, { engine });
      assert.match(onlyError(outcome), /^surplus-reply/);
    });

    test("that never answers the handshake times out", async (t) => {
      const { url } = await startMisbehavingServer(t, { handshake: () => undefined });
      const outcome = await measureReal(url, { engine }, { timeoutMs: 150 });
      assert.equal(outcome.kind, "nothing");
      assert.match(
        onlyError(outcome),
        /^handshake-timeout: no answer to the handshake from .* within 150 ms/,
      );
    });

    test("that refuses the handshake is quoted", async (t) => {
      const handshake = () =>
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 23\r\n\r\nat capacity\nretry later";
      const { url } = await startMisbehavingServer(t, { handshake });
      const outcome = await measureReal(url, { engine });
      assert.match(onlyError(outcome), /^handshake-refused: .*503 Service Unavailable: at capacity$/);
    });

    test("with a wrong accept key is refused", async (t) => {
      const { url } = await startMisbehavingServer(t, { handshake: () => switchingProtocols("wrong") });
      assert.match(
        onlyError(await measureReal(url, { engine })),
        /^handshake-invalid: .*Sec-WebSocket-Accept/,
      );
    });

    test("that breaks the protocol is named with its violation", async (t) => {
      const masked = (message: ClientMessage): Buffer =>
        message.index === 5 ? frame(2, message.payload, { masked: true }) : echo(message);
      const { url } = await startMisbehavingServer(t, { reply: masked });
      const outcome = await measureReal(url, { engine, durationMs: 20_000 });
      assert.match(onlyError(outcome), /^protocol-/);
      assert.equal(resultOf(outcome).connections.closedEarly, 2);
    });

    test("that sends more than an echo is cut off", async (t) => {
      const huge = (message: ClientMessage): Buffer =>
        message.index === 5 ? Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]) : echo(message);
      const { url } = await startMisbehavingServer(t, { reply: huge });
      const outcome = await measureReal(url, { engine, durationMs: 20_000 });
      assert.match(onlyError(outcome), /^protocol-oversized-message/);
    });

    test("that sends fragments, pings and pongs in between is still measured", async (t) => {
      const pongs: string[] = [];
      const reply = ({ opcode, payload, index }: ClientMessage): Buffer =>
        Buffer.concat([
          frame(opcode, payload.subarray(0, 10), { final: false }),
          frame(9, `ping ${index}`),
          frame(0, payload.subarray(10, 10), { final: false }),
          frame(10, "unasked"),
          frame(0, payload.subarray(10)),
        ]);
      const onControl = (opcode: number, payload: Buffer, socket: ClientMessage["socket"]): void => {
        if (opcode === 10) {
          pongs.push(payload.toString());
        }
        if (opcode === 8) {
          socket.end(frame(8, payload));
        }
      };
      const { url } = await startMisbehavingServer(t, { reply, onControl });
      const outcome = await measureReal(url, { engine, connections: 1, durationMs: 500 }, { verify: "full" });
      const result = resultOf(outcome);
      assert.deepEqual(result.errors, {});
      assert.deepEqual(result.failures, []);
      assert.equal(result.messages.sent, result.messages.received);
      assert.ok(result.messages.received > 5);
      assert.deepEqual(pongs.slice(0, 3), ["ping 0", "ping 1", "ping 2"]);
    });

    test("that echoes payloads of all three length forms, in turn, is measured", async (t) => {
      const { url } = await startMisbehavingServer(t);
      const payloads = [0, 125, 126, 65_535, 65_536, 300_000].map((bytes) => new Uint8Array(bytes).fill(7));
      const outcome = await measureReal(
        url,
        { engine, loop: { kind: "closed", depth: 3 }, durationMs: 800 },
        { payloads, verify: "full" },
      );
      const result = resultOf(outcome);
      assert.deepEqual(result.errors, {});
      assert.equal(result.messages.lost, 0);
      assert.deepEqual(result.scenario.payloadBytes, [0, 125, 126, 65_535, 65_536, 300_000]);
      assert.ok(result.messages.received > 12);
    });
  });
}
