// Messages with permessage-deflate (RFC 7692, section 7.2): valid and invalid compression.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { connectClient } from "../support/client.ts";
import { startServer } from "../support/echo-server.ts";
import { closing, type FrameOptions, frame, opcode, openRaw, type RawSocket } from "../support/raw-socket.ts";
import { contextless, Deflater, Inflater, plain, readAnswer } from "./deflate.ts";
import { assertEnded, assertNextFrame, assertOpen, expected, serverOfFile } from "./protocol-case.ts";

const { continuation, text, binary, ping, close } = opcode;
const rsv1 = 4;
const compressors = ["shared", "dedicated"] as const;
const authorities = {
  shared: serverOfFile({ compression: "shared", compressionMinSize: 0, maxPayload: "1MiB" }),
  dedicated: serverOfFile({ compression: "dedicated", compressionMinSize: 0, maxPayload: "1MiB" }),
};

for (const compressor of compressors) {
  const open = (t: TestContext): Promise<RawSocket> =>
    openRaw(t, authorities[compressor](), { "Sec-WebSocket-Extensions": "permessage-deflate" });
  const agreed = readAnswer(compressor === "shared" ? contextless : plain);
  const sentence = Buffer.from("A sentence to compress, κόσμε, a sentence to compress.");

  async function assertEcho(
    raw: RawSocket,
    inflater: Inflater,
    code: number,
    payload: Buffer,
  ): Promise<void> {
    const reply = await raw.readFrame();
    assert.deepEqual([reply.opcode, reply.isFinal, reply.reserved], [code, true, rsv1]);
    assert.ok((await inflater.inflate(reply.payload)).equals(payload));
  }

  test(`takes a compressed message in fragments cut at every byte (${compressor})`, async (t) => {
    const raw = await open(t);
    const [deflater, inflater] = [new Deflater(agreed.client), new Inflater(agreed.server)];
    const bytes = (await new Deflater(agreed.client).deflate(sentence)).length;
    for (let cut = 0; cut <= bytes; cut++) {
      const deflated = await deflater.deflate(sentence);
      await raw.send(frame(text, deflated.subarray(0, cut), { isFinal: false, reserved: rsv1 }));
      await raw.send(frame(ping, "between"));
      await assertNextFrame(raw, expected(opcode.pong, "between"));
      await raw.send(frame(continuation, deflated.subarray(cut)));
      await assertEcho(raw, inflater, text, sentence);
    }
  });

  test(`takes messages that are not compressed among those that are (${compressor})`, async (t) => {
    const raw = await open(t);
    const [deflater, inflater] = [new Deflater(agreed.client), new Inflater(agreed.server)];
    for (const isCompressed of [true, false, false, true, false, true]) {
      const payload = isCompressed ? await deflater.deflate(sentence) : sentence;
      await raw.send(frame(text, payload, { reserved: isCompressed ? rsv1 : 0 }));
      await assertEcho(raw, inflater, text, sentence);
    }
  });

  test(`takes any way to write deflate blocks (${compressor})`, async (t) => {
    const raw = await open(t);
    const inflater = new Inflater(agreed.server);
    const fresh = { windowBits: 15, keepsContext: false };
    const stored = await new Deflater(fresh).deflate(sentence, 0);
    const flushed = Buffer.concat([
      deflateRawSync(sentence, { finishFlush: constants.Z_FULL_FLUSH }),
      deflateRawSync(sentence, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
    ]);
    const fixed = deflateRawSync(sentence, {
      finishFlush: constants.Z_SYNC_FLUSH,
      strategy: constants.Z_FIXED,
    }).subarray(0, -4);
    for (const [name, deflated, payload] of [
      ["stored", stored, sentence],
      ["two blocks", flushed, Buffer.concat([sentence, sentence])],
      ["fixed codes", fixed, sentence],
    ] as const) {
      await t.test(name, async () => {
        await raw.send(frame(text, deflated, { reserved: rsv1 }));
        await assertEcho(raw, inflater, text, payload);
      });
    }
  });

  test(`drops a connection that compresses against the rules (${compressor})`, async (t) => {
    const deflated = await new Deflater(agreed.client).deflate(sentence);
    const notUtf8 = await new Deflater(agreed.client).deflate(Buffer.from("ceba80ff", "hex"));
    const bomb = await new Deflater(agreed.client).deflate(Buffer.alloc(1024 * 1024 + 1));
    const first: FrameOptions = { isFinal: false, reserved: rsv1 };
    const violations: Record<string, Buffer[]> = {
      "RSV1 on a continuation": [
        frame(text, deflated.subarray(0, 9), first),
        frame(continuation, deflated.subarray(9), { reserved: rsv1 }),
      ],
      "RSV1 on a continuation of what is not compressed": [
        frame(text, sentence, { isFinal: false }),
        frame(continuation, deflated, { reserved: rsv1 }),
      ],
      // Section 7.2.3.4 allows this one, but uWS refuses it: a final block, and the byte 0 after it.
      "a final block": [
        frame(text, Buffer.concat([deflateRawSync(sentence), Buffer.alloc(1)]), { reserved: rsv1 }),
      ],
      RSV2: [frame(text, deflated, { reserved: rsv1 + 2 })],
      RSV3: [frame(text, deflated, { reserved: rsv1 + 1 })],
      "bytes that are not a deflate block": [frame(binary, Buffer.alloc(50, 0xff), { reserved: rsv1 })],
      "a reserved block type": [frame(binary, Buffer.from([6, 0, 0]), { reserved: rsv1 })],
      "a reference to before the start": [frame(binary, Buffer.from([2, 0x93, 0, 0]), { reserved: rsv1 })],
      "text that is not UTF-8": [frame(text, notUtf8, { reserved: rsv1 })],
      "one byte more than the largest message": [frame(binary, bomb, { reserved: rsv1 })],
    };
    for (const [name, frames] of Object.entries(violations)) {
      await t.test(name, async (t) => {
        const raw = await open(t);
        await raw.send(Buffer.concat(frames));
        await assertEnded(raw);
      });
    }
    await assertOpen(await open(t));
  });

  // Section 6.1 forbids it, but uWS accepts it.
  test(`answers a ping and a close with RSV1 as if they had none (${compressor})`, async (t) => {
    const pinging = await open(t);
    await pinging.send(frame(ping, "x", { reserved: rsv1 }));
    await assertNextFrame(pinging, expected(opcode.pong, "x"));
    const leaving = await open(t);
    await leaving.send(frame(close, closing(1000), { reserved: rsv1 }));
    await assertEnded(leaving, closing(1000));
  });

  test(`inflates the largest message (${compressor})`, async (t) => {
    const raw = await open(t);
    const largest = Buffer.alloc(1024 * 1024, "0123456789abcdef");
    const deflated = await new Deflater(agreed.client).deflate(largest);
    await raw.send(frame(binary, deflated, { reserved: rsv1 }));
    await assertEcho(raw, new Inflater(agreed.server), binary, largest);
  });
}

for (const compressor of compressors) {
  test(`a message of the largest size comes back though it does not compress (${compressor})`, async (t) => {
    const { urls } = await startServer(t, {
      compression: compressor,
      compressionMinSize: 0,
      maxPayload: "1MiB",
    });
    const { ws, next } = await connectClient(t, urls.echo, { perMessageDeflate: { threshold: 0 } });
    for (const bytes of [1024 * 1024, 1024 * 1024 - 100]) {
      const message = randomBytes(bytes);
      ws.send(message);
      assert.ok((await next()).data.equals(message), `${bytes} bytes`);
    }
  });

  test(`a message of one byte more than the largest size drops the connection (${compressor})`, async (t) => {
    const { urls } = await startServer(t, { compression: compressor, maxPayload: "64KiB" });
    for (const perMessageDeflate of [{ threshold: 0 }, false]) {
      const { ws, closed } = await connectClient(t, urls.echo, { perMessageDeflate });
      ws.send(Buffer.alloc(64 * 1024 + 1));
      assert.equal((await closed).code, 1006);
    }
  });
}

test("compresses replies from the minimum size on, and no others", async (t) => {
  const server = await startServer(t, { compression: "shared", compressionMinSize: 100 });
  const raw = await openRaw(t, `127.0.0.1:${server.port}`, {
    "Sec-WebSocket-Extensions": "permessage-deflate",
  });
  for (const [bytes, reserved] of [
    [0, 0],
    [99, 0],
    [100, rsv1],
    [5000, rsv1],
  ] as const) {
    await raw.send(frame(text, "*".repeat(bytes)));
    assert.equal((await raw.readFrame()).reserved, reserved, `${bytes} bytes`);
  }
});

test("without --compression, an offer is declined and RSV1 is a violation", async (t) => {
  const server = await startServer(t);
  const raw = await openRaw(t, `127.0.0.1:${server.port}`, {
    "Sec-WebSocket-Extensions": "permessage-deflate",
  });
  assert.equal(raw.head.headers["sec-websocket-extensions"], undefined);
  await raw.send(frame(text, "*".repeat(5000)));
  await assertNextFrame(raw, expected(text, "*".repeat(5000)));
  await raw.send(
    frame(text, await new Deflater({ windowBits: 15, keepsContext: false }).deflate(Buffer.from("x")), {
      reserved: rsv1,
    }),
  );
  await assertEnded(raw);
});
