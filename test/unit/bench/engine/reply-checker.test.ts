import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { opcodes } from "../../../../bench/engine/frame.ts";
import { makePayload, stampSequence, type Verify } from "../../../../bench/engine/payload.ts";
import { ReplyChecker } from "../../../../bench/engine/reply-checker.ts";

const payloadLists = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 });

describe("ReplyChecker", () => {
  /** The verdict on each reply, which is given in pieces of `pieceBytes`. */
  function check(payloads: Uint8Array[], verify: Verify, replies: Uint8Array[], pieceBytes: number) {
    const checker = new ReplyChecker(payloads, "binary", verify);
    return replies.map((reply, i) => {
      for (let at = 0; at < reply.length; at += pieceBytes) {
        checker.piece(reply, at, Math.min(reply.length, at + pieceBytes));
      }
      return checker.finish(opcodes.binary, reply.length, i + 1);
    });
  }

  function stamped(payloads: Uint8Array[], count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => {
      const reply = Uint8Array.from(payloads[i % payloads.length] ?? []);
      stampSequence(reply, i);
      return reply;
    });
  }

  test("with full, accepts correct echoes in pieces of any size", () => {
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

  test("with full, notices any byte that changed, whatever the pieces", () => {
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
          const allowed = at < 8 ? ["wrong-sequence", "duplicate-reply"] : ["wrong-bytes"];
          assert.ok(allowed.includes(faults[n] ?? ""), `${faults[n]} at ${at}`);
        },
      ),
    );
  });

  /** The verdicts of a checker that awaits the replies to `sentCount` messages. */
  function judge(payloads: Uint8Array[], sentCount: number, replies: (Uint8Array | undefined)[]) {
    const checker = new ReplyChecker(payloads, "binary", "full");
    return replies.map((reply = new Uint8Array()) => {
      checker.piece(reply, 0, reply.length);
      return [checker.finish(opcodes.binary, reply.length, sentCount), checker.skipped];
    });
  }

  test("with full, continues with the next message after a duplicate", () => {
    const payloads = [makePayload(64, "binary"), makePayload(20, "binary")];
    const [a, b, c] = stamped(payloads, 3);
    assert.deepEqual(judge(payloads, 3, [a, a, b, c]), [
      [undefined, 0],
      ["duplicate-reply", 0],
      [undefined, 0],
      [undefined, 0],
    ]);
  });

  test("with full, says how many replies are missing, and distinguishes a late reply from a duplicate", () => {
    const payloads = [makePayload(64, "binary")];
    const [a, b, c, d] = stamped(payloads, 4);
    assert.deepEqual(judge(payloads, 4, [a, d, b, b]), [
      [undefined, 0],
      [undefined, 2],
      ["reordered-reply", 0],
      ["duplicate-reply", 0],
    ]);
    assert.ok(c);
  });

  test("stays in step when a message arrives before any was sent", () => {
    const payloads = [makePayload(64, "binary")];
    for (const verify of ["none", "length", "full"] as const) {
      const checker = new ReplyChecker(payloads, "binary", verify);
      checker.piece(new Uint8Array(10), 0, 10);
      assert.equal(checker.finish(opcodes.binary, 10, 0), "surplus-reply");
      const [reply = new Uint8Array()] = stamped(payloads, 1);
      checker.piece(reply, 0, reply.length);
      assert.equal(checker.finish(opcodes.binary, reply.length, 1), undefined, verify);
    }
  });

  test("with length, checks only type and length", () => {
    const payloads = [new Uint8Array(4)];
    assert.deepEqual(check(payloads, "length", [Uint8Array.of(9, 9, 9, 9), new Uint8Array(5)], 64), [
      undefined,
      "wrong-length",
    ]);
    const checker = new ReplyChecker(payloads, "text", "length");
    assert.equal(checker.finish(opcodes.binary, 4, 1), "wrong-type");
  });

  test("with none, accepts any message as a reply", () => {
    const checker = new ReplyChecker([new Uint8Array(4)], "text", "none");
    assert.equal(checker.finish(opcodes.binary, 400, 1), undefined);
  });

  test("counts a reply that could not be decompressed as the one that is due", () => {
    const payloads = [makePayload(20, "binary")];
    const checker = new ReplyChecker(payloads, "binary", "full");
    assert.equal(checker.finishUnreadable(2), "invalid-deflate");
    const second = Uint8Array.from(payloads[0] ?? []);
    stampSequence(second, 1);
    checker.piece(second, 0, second.length);
    assert.equal(checker.finish(opcodes.binary, second.length, 2), undefined);
    assert.equal(checker.finishUnreadable(2), "surplus-reply");
  });
});
