// Property tests of the echo: fast-check generates frames, splits and garbage, and shrinks failures.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { startServer } from "../support/echo-server.ts";
import { closing, type FrameOptions, frame, opcode, openRaw, type RawSocket } from "../support/raw-socket.ts";
import { spawnSurvivor } from "../support/survivor.ts";

const { continuation, text, binary, close, ping, pong } = opcode;

/** Cleans up after each run of a property, not only after the test. */
async function withRaw(
  t: TestContext,
  authority: string,
  use: (raw: RawSocket) => Promise<void>,
): Promise<void> {
  const raw = await openRaw(t, authority);
  try {
    await use(raw);
  } finally {
    raw.socket.destroy();
  }
}

interface Message {
  readonly code: number;
  readonly payload: Buffer;
  /** Positions at which the payload is split into fragments, as shares of its length. */
  readonly cuts: readonly number[];
  /** Control frames to send before the fragment with this number. */
  readonly controls: readonly {
    readonly before: number;
    readonly code: number;
    readonly payload: Uint8Array;
  }[];
}

const control = fc.record({
  before: fc.nat(4),
  code: fc.constantFrom(ping, pong),
  payload: fc.uint8Array({ maxLength: 125 }),
});

const message: fc.Arbitrary<Message> = fc
  .record({
    content: fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      // Around the lengths where the frame's header changes its form.
      fc
        .constantFrom(125, 126, 127, 65_535, 65_536, 70_000)
        .map((bytes) => new Uint8Array(bytes).fill(bytes)),
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
    controls: fc.array(control, { maxLength: 3 }),
  })
  .map(({ content, cuts, controls }) => ({
    code: typeof content === "string" ? text : binary,
    payload: Buffer.from(content),
    cuts: cuts.sort((a, b) => a - b),
    controls,
  }));

/** The frames of a message, with its control frames between them. */
function write({ code, payload, cuts, controls }: Message): { bytes: Buffer; pings: Buffer[] } {
  const frames: Buffer[] = [];
  const pings: Buffer[] = [];
  const offsets = [...cuts.map((share) => Math.round(share * payload.length)), payload.length];
  for (const [i, end] of offsets.entries()) {
    for (const each of controls.filter(({ before }) => before === i)) {
      frames.push(frame(each.code, each.payload));
      if (each.code === ping) {
        pings.push(Buffer.from(each.payload));
      }
    }
    const part = payload.subarray(offsets[i - 1] ?? 0, end);
    frames.push(
      frame(i === 0 ? code : continuation, part, {
        isFinal: i === offsets.length - 1,
      }),
    );
  }
  return { bytes: Buffer.concat(frames), pings };
}

test("echoes any messages in order and byte for byte, however they are fragmented and split", async (t) => {
  const server = await startServer(t);
  const cuts = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 });
  const property = fc.asyncProperty(
    fc.array(message, { minLength: 1, maxLength: 8 }),
    cuts,
    (messages, pieces) =>
      withRaw(t, `127.0.0.1:${server.port}`, async (raw) => {
        const written = messages.map(write);
        const sent = sendInPieces(raw, Buffer.concat(written.map(({ bytes }) => bytes)), pieces);
        for (const [i, { code, payload }] of messages.entries()) {
          for (const pinged of written[i]?.pings ?? []) {
            const { opcode, payload } = await raw.readFrame();
            assert.deepEqual({ opcode, payload }, { opcode: pong, payload: pinged });
          }
          const reply = await raw.readFrame();
          assert.deepEqual([reply.opcode, reply.isFinal, reply.reserved], [code, true, 0]);
          assert.ok(reply.payload.equals(payload), `message ${i} of ${payload.length} bytes`);
        }
        await sent;
      }),
  );
  await fc.assert(property, { numRuns: 150 });
});

/** Writes pieces of these lengths in turn, each in a separate turn of the event loop. */
async function sendInPieces(raw: RawSocket, bytes: Buffer, pieces: readonly number[]): Promise<void> {
  // A length of 1 throughout would take thousands of turns for a large message.
  const least = Math.ceil(bytes.length / 2000);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + Math.max(least, pieces[i % pieces.length] ?? 1);
    raw.socket.write(bytes.subarray(at, end));
    at = end;
    await nextTurn();
  }
}

const anyFrame = fc
  .record({
    code: fc.nat(15),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 140 }),
      fc.integer({ min: 0, max: 5000 }).map((code) => closing(code, "?")),
    ),
    options: fc.record(
      {
        isFinal: fc.boolean(),
        reserved: fc.nat(7),
        isMasked: fc.boolean(),
        lengthBytes: fc.constant(8),
        claimedBytes: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ code, payload, options }) => {
    // A false length needs the longest form.
    const form = options.claimedBytes === undefined ? {} : { lengthBytes: 8 };
    return frame(code, payload, { ...options, ...form } as FrameOptions);
  });

const goodFrame = fc
  .record({
    code: fc.constantFrom(text, binary, ping, pong, close),
    payload: fc.uint8Array({ maxLength: 125 }),
  })
  .map(({ code, payload }) => frame(code, payload));

for (const compression of ["off", "shared", "dedicated"]) {
  test(`random bytes after a handshake do not stop the server, with compression ${compression}`, async (t) => {
    const server = await spawnSurvivor(t, ["--compression", compression, "--max-payload", "64KiB"]);
    const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    const garbage = fc.array(fc.oneof(anyFrame, goodFrame, fc.uint8Array({ maxLength: 200 })), {
      maxLength: 12,
    });
    const ending = fc.constantFrom("end", "reset");
    const property = fc.asyncProperty(garbage, ending, async (pieces, how) => {
      const raw = await openRaw(t, server.authority, headers);
      for (const piece of pieces) {
        raw.socket.write(piece);
        await nextTurn();
      }
      if (how === "reset") {
        raw.socket.resetAndDestroy();
      } else {
        raw.socket.end();
      }
      await raw.ended();
    });
    await fc.assert(property, { numRuns: 300 });
    await server.assertAlive();
    assert.equal(await server.stop(), 0);
  });
}
