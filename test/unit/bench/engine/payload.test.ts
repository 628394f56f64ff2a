import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { opcodes } from "../../../../bench/engine/frame.ts";
import {
  FrameTape,
  makePayload,
  ReplyChecker,
  stampSequence,
  type Verify,
} from "../../../../bench/engine/payload.ts";

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
    messages.push(body.map((octet, i) => octet ^ (frames[key + (i % 4)] ?? 0)) as Buffer);
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

  test("writes each message's number into it when stamped, and leaves the other octets alone", () => {
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

describe("ReplyChecker", () => {
  /** What it says of each of the replies, each given in pieces of `pieceBytes`. */
  function check(payloads: Uint8Array[], verify: Verify, replies: Uint8Array[], pieceBytes: number) {
    const checker = new ReplyChecker(payloads, "binary", verify);
    return replies.map((reply) => {
      for (let at = 0; at < reply.length; at += pieceBytes) {
        checker.piece(reply, at, Math.min(reply.length, at + pieceBytes));
      }
      return checker.finish(opcodes.binary, reply.length);
    });
  }

  function stamped(payloads: Uint8Array[], count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => {
      const reply = Uint8Array.from(payloads[i % payloads.length] ?? []);
      stampSequence(reply, i);
      return reply;
    });
  }

  test("with full, takes true echoes in pieces of any size", () => {
    fc.assert(
      fc.property(
        payloadLists,
        fc.nat(40),
        fc.integer({ min: 1, max: 50 }),
        (payloads, count, pieceBytes) => {
          const faults = check(payloads, "full", stamped(payloads, count), pieceBytes);
          assert.ok(faults.every((fault) => fault === undefined));
        },
      ),
    );
  });

  test("with full, notices any octet that changed, whatever the pieces", () => {
    const payloads = [makePayload(64, "binary"), makePayload(3, "binary"), makePayload(200, "binary")];
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 70 }),
        (n, place, flip, pieceBytes) => {
          const replies = stamped(payloads, 9);
          const reply = replies[n] ?? new Uint8Array();
          const at = place % reply.length;
          reply[at] = (reply[at] ?? 0) ^ flip;
          const faults = check(payloads, "full", replies, pieceBytes);
          assert.deepEqual(
            faults.map((fault, i) => (fault === undefined ? undefined : i)).filter((i) => i !== undefined),
            [n],
          );
          assert.equal(faults[n], at < 8 ? "wrong-sequence" : "wrong-bytes");
        },
      ),
    );
  });

  test("with full, calls replies in another order a wrong sequence", () => {
    const payloads = [makePayload(64, "binary")];
    const [first = new Uint8Array(), second = new Uint8Array()] = stamped(payloads, 2);
    assert.deepEqual(check(payloads, "full", [second, first], 64), ["wrong-sequence", "wrong-sequence"]);
  });

  test("with length, looks at type and length only", () => {
    const payloads = [new Uint8Array(4)];
    assert.deepEqual(check(payloads, "length", [Uint8Array.of(9, 9, 9, 9), new Uint8Array(5)], 64), [
      undefined,
      "wrong-length",
    ]);
    const checker = new ReplyChecker(payloads, "text", "length");
    assert.equal(checker.finish(opcodes.binary, 4), "wrong-type");
  });

  test("with none, takes any message for a reply", () => {
    const checker = new ReplyChecker([new Uint8Array(4)], "text", "none");
    assert.equal(checker.finish(opcodes.binary, 400), undefined);
  });
});

test("text payloads are printable ASCII, so valid UTF-8", () => {
  assert.match(Buffer.from(makePayload(5000, "text")).toString("latin1"), /^[ -~]{5000}$/);
});
