import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inflateRawSync, constants as zlib } from "node:zlib";
import fc from "fast-check";
import { FrameTape, makePayload, stampSequence } from "../../../../bench/engine/payload.ts";

const payloadLists = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 });

/** The messages in a run of masked frames of a client. */
function unmask(frames: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let at = 0;
  while (at < frames.length) {
    const form = (frames[at + 1] ?? 0) & 0x7f;
    const length = form < 126 ? form : frames.readUInt16BE(at + 2);
    const key = at + (form < 126 ? 2 : 4);
    const body = Buffer.from(frames.subarray(key + 4, key + 4 + length));
    messages.push(body.map((byte, i) => byte ^ (frames[key + (i % 4)] ?? 0)) as Buffer);
    at = key + 4 + length;
  }
  return messages;
}

describe("FrameTape", () => {
  test("gives any run of messages as the frames of their payloads, in turn", () => {
    fc.assert(
      fc.property(
        payloadLists,
        fc.nat(1000),
        fc.integer({ min: 1, max: 50 }),
        (payloads, sequence, count) => {
          const tape = new FrameTape(payloads, "binary", false);
          const messages = unmask(tape.batch(sequence, Math.min(count, tape.maxBatch)));
          assert.equal(messages.length, Math.min(count, tape.maxBatch));
          for (const [i, message] of messages.entries()) {
            assert.deepEqual(new Uint8Array(message), payloads[(sequence + i) % payloads.length]);
          }
        },
      ),
    );
  });

  test("does not build a batch twice when it is not stamped", () => {
    const tape = new FrameTape([makePayload(64, "binary")], "binary", false);
    assert.equal(tape.batch(0, 16), tape.batch(7, 16));
  });

  test("writes each message's number into it when stamped, and leaves the other bytes alone", () => {
    fc.assert(
      fc.property(
        payloadLists,
        fc.nat(2 ** 31),
        fc.integer({ min: 1, max: 20 }),
        (payloads, sequence, count) => {
          const tape = new FrameTape(payloads, "text", true);
          const messages = unmask(tape.batch(sequence, Math.min(count, tape.maxBatch)));
          for (const [i, message] of messages.entries()) {
            const expected = Uint8Array.from(payloads[(sequence + i) % payloads.length] ?? []);
            stampSequence(expected, sequence + i);
            assert.deepEqual(new Uint8Array(message), expected);
          }
        },
      ),
    );
  });
});

test("compressed frames hold the same messages, with their numbers when stamped", () => {
  fc.assert(
    fc.property(payloadLists, fc.nat(2 ** 31), fc.boolean(), fc.integer({ min: 9, max: 15 }), (...drawn) => {
      const [payloads, sequence, isStamped, windowBits] = drawn;
      const tape = new FrameTape(payloads, "binary", isStamped, windowBits);
      const frames = tape.batch(sequence, Math.min(5, tape.maxBatch));
      assert.equal(frames[0], 0xc2, "FIN, RSV1 and binary");
      for (const [i, compressed] of unmask(frames).entries()) {
        const expected = Uint8Array.from(payloads[(sequence + i) % payloads.length] ?? []);
        if (isStamped) {
          stampSequence(expected, sequence + i);
        }
        const whole = Buffer.concat([compressed, Buffer.from([0, 0, 0xff, 0xff])]);
        const message = inflateRawSync(whole, { windowBits, finishFlush: zlib.Z_SYNC_FLUSH });
        assert.deepEqual(new Uint8Array(message), expected);
      }
    }),
  );
});

test("text payloads are printable ASCII, so valid UTF-8", () => {
  assert.match(Buffer.from(makePayload(5000, "text")).toString("latin1"), /^[ -~]{5000}$/);
});

test("the same seed gives the same payload, and another one another", () => {
  for (const fill of ["random", "words"] as const) {
    assert.deepEqual(makePayload(1000, "binary", fill, 7), makePayload(1000, "binary", fill, 7));
    assert.notDeepEqual(makePayload(1000, "binary", fill, 7), makePayload(1000, "binary", fill, 8));
  }
});
