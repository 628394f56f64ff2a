import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync, constants as zlib } from "node:zlib";
import fc from "fast-check";
import { deflateMessage, Inflater, readDeflateAnswer } from "../../../../bench/engine/deflate.ts";
import { makePayload } from "../../../../bench/engine/payload.ts";
import * as reference from "../../../conformance/deflate.ts";

const limitBytes = 1024 * 1024;
const alone = { serverWindowBits: 15, serverKeepsContext: false };
const linked = { serverWindowBits: 15, serverKeepsContext: true };
const words = Buffer.from(makePayload(20_000, "text", "words", 1));

describe("the answer to the offer", () => {
  test("says how either side may compress", () => {
    const usual = { clientWindowBits: 15, serverWindowBits: 15, serverKeepsContext: true };
    const cases = [
      ["permessage-deflate", usual],
      ["Permessage-Deflate ;client_no_context_takeover", usual],
      ["permessage-deflate; server_no_context_takeover", { ...usual, serverKeepsContext: false }],
      ["permessage-deflate; client_max_window_bits=9", { ...usual, clientWindowBits: 9 }],
      [
        'permessage-deflate; server_max_window_bits = "10"; CLIENT_MAX_WINDOW_BITS=8',
        { ...usual, clientWindowBits: 8, serverWindowBits: 10 },
      ],
    ] as const;
    for (const [answer, expected] of cases) {
      assert.deepEqual(readDeflateAnswer(answer), expected, answer);
    }
  });

  test("is refused when RFC 7692 does not allow it", () => {
    assert.match(
      String(readDeflateAnswer("x-other")),
      /chose the extension "x-other", which was not offered/,
    );
    for (const parameter of [
      "client_max_window_bits",
      "client_max_window_bits=",
      "server_max_window_bits=7",
      "server_max_window_bits=16",
      "server_max_window_bits=010",
      'server_max_window_bits="10',
      "server_max_window_bits=10=10",
      "server_no_context_takeover=1",
      "unknown",
      "",
      "client_no_context_takeover; client_no_context_takeover",
      "client_no_context_takeover, permessage-deflate",
    ]) {
      assert.match(
        String(readDeflateAnswer(`permessage-deflate; ${parameter}`)),
        /which RFC 7692 does not allow there/,
        parameter,
      );
    }
  });
});

describe("a compressed message", () => {
  test("is what was compressed, whatever part of it is stored, for the smallest window that may read it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 3000 }),
          fc.nat(5000).map((bytes) => words.subarray(0, bytes)),
        ),
        fc.integer({ min: 8, max: 15 }),
        fc.constantFrom(0, 8),
        async (payload, windowBits, storedBytes) => {
          const strict = new reference.Inflater({ windowBits, keepsContext: false });
          const compressed = deflateMessage(payload, windowBits, storedBytes);
          assert.deepEqual(await strict.inflate(compressed), Buffer.from(payload));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("keeps its first bytes as they are where asked for", () => {
    const compressed = deflateMessage(Buffer.from("01234567 and 01234567"), 15, 8);
    assert.equal(compressed.toString("latin1", 5, 13), "01234567");
  });

  test("that repeats itself becomes short", () => {
    assert.ok(deflateMessage(words).length < words.length / 2);
  });
});

describe("an Inflater", () => {
  test("follows a target that keeps its context, across windows of any size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 9, max: 15 }),
        fc.array(fc.tuple(fc.nat(15_000), fc.nat(5000)), { minLength: 1, maxLength: 12 }),
        async (windowBits, cuts) => {
          const target = new reference.Deflater({ windowBits, keepsContext: true });
          const inflater = new Inflater(
            { serverWindowBits: windowBits, serverKeepsContext: true },
            limitBytes,
          );
          for (const [start, bytes] of cuts) {
            const message = words.subarray(start, start + bytes);
            assert.deepEqual(inflater.inflate(await target.deflate(message)), message);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("decompresses messages that stand alone in any order, the same one twice too", () => {
    const inflater = new Inflater(alone, limitBytes);
    for (const text of ["one one one", "one one one", "two two two", "one one one", ""]) {
      assert.equal(inflater.inflate(deflateMessage(Buffer.from(text))).toString(), text);
    }
  });

  test("takes a message whose last block is marked as final (RFC 7692, section 7.2.3.4)", () => {
    const final = Buffer.concat([deflateRawSync("Hello"), Buffer.alloc(1)]);
    assert.equal(new Inflater(alone, limitBytes).inflate(final).toString(), "Hello");
  });

  test("stops at its limit", () => {
    for (const agreed of [alone, linked]) {
      const inflater = new Inflater(agreed, 1000);
      assert.equal(inflater.inflate(deflateMessage(Buffer.alloc(10_000_000))), "oversized-message");
      assert.equal(inflater.inflate(deflateMessage(Buffer.alloc(1000))).length, 1000);
    }
  });

  test("says that bytes are no DEFLATE, and goes on with the context as it was", async () => {
    const target = new reference.Deflater({ windowBits: 15, keepsContext: true });
    const inflater = new Inflater(linked, limitBytes);
    assert.deepEqual(inflater.inflate(await target.deflate(words)), words);
    assert.equal(inflater.inflate(Buffer.alloc(50, 0xff)), "invalid-deflate");
    const again = await target.deflate(words);
    assert.ok(again.length < 1000, "refers to the first one");
    assert.deepEqual(inflater.inflate(again), words);
  });

  test("finds a reference beyond the agreed window", () => {
    const inflater = new Inflater({ serverWindowBits: 9, serverKeepsContext: true }, limitBytes);
    const first = words.subarray(0, 600);
    assert.deepEqual(inflater.inflate(deflateMessage(first, 9)), first);
    const beyond = deflateRawSync(words.subarray(0, 50), {
      dictionary: words.subarray(0, 5000),
      finishFlush: zlib.Z_SYNC_FLUSH,
    }).subarray(0, -4);
    assert.equal(inflater.inflate(beyond), "invalid-deflate");
  });
});
