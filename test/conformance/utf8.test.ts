// Text must be UTF-8 (RFC 6455, sections 5.6 and 8.1; RFC 3629), however fragments and TCP segments split it. uWS checks
// whole messages, so a bad byte in an early fragment drops the connection only after the last fragment.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fragments, frame, opcode, openRaw } from "../support/raw-socket.ts";
import { assertEnded, assertNextFrame, expected, serverOfFile, testCases } from "./protocol-case.ts";

const { text, binary } = opcode;
const authority = serverOfFile();

const wellFormed = {
  "Greek, of two bytes a letter": "κόσμε",
  "a word between others": "Hello-µ@ßöäüàá-UTF-8!!",
  "three bytes a letter": "水とハローワールド",
  "four bytes a letter": "🜁🜂🜃🜄 and 𝄞",
  "the first character of each length": "\u0000\u0080\u0800\u{10000}",
  "the last character of each length": "\u007f\u07ff\uffff\u{10ffff}",
  "what is next to the surrogates": "\ud7ff\ue000",
  noncharacters: "\ufdd0\ufdef\ufffe\uffff\u{1fffe}\u{10fffe}",
  "a byte order mark, and one in the middle": "\ufeffa\ufeff",
  "the replacement character": "\ufffd",
};

/** Bytes in hexadecimal. */
const malformed = {
  "a continuation byte alone": "80",
  "the last continuation byte alone": "bf",
  "continuation bytes after a letter": "61 80 80",
  "two bytes, the second missing": "c3",
  "three bytes, the third missing": "e6 b0",
  "four bytes, the fourth missing": "f0 9f 9c",
  "two bytes, the second a letter": "c3 61",
  "three bytes, the third a letter": "e6 b0 61",
  "four bytes, the fourth a letter": "f0 9f 9c 61",
  "a slash in two bytes": "c0 af",
  "a slash in three bytes": "e0 80 af",
  "a slash in four bytes": "f0 80 80 af",
  "the largest overlong of two bytes": "c1 bf",
  "the largest overlong of three bytes": "e0 9f bf",
  "the largest overlong of four bytes": "f0 8f bf bf",
  "NUL in two bytes": "c0 80",
  "the first high surrogate": "ed a0 80",
  "the last low surrogate": "ed bf bf",
  "a pair of surrogates": "ed a0 80 ed b0 80",
  "the first number above Unicode": "f4 90 80 80",
  "a lead byte of numbers far above Unicode": "f5 80 80 80",
  "five bytes": "f8 88 80 80 80",
  "six bytes": "fc 84 80 80 80 80",
  "the byte FE": "fe",
  "the byte FF": "ff",
  "a good word, a bad byte, a good word": "ce ba f4 90 80 80 65 64",
};

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

/** Every offset inside of the bytes. */
function offsets(bytes: number): number[] {
  return Array.from({ length: bytes - 1 }, (_, i) => i + 1);
}

testCases("text that is UTF-8", authority, [
  ...Object.entries(wellFormed).map(([name, payload]) => ({
    name,
    send: [frame(text, payload)],
    gets: [expected(text, payload)],
    outcome: "open" as const,
  })),
  ...Object.entries(wellFormed).map(([name, payload]) => ({
    name: `${name}, a byte a fragment`,
    send: fragments(text, payload, offsets(Buffer.byteLength(payload))),
    gets: [expected(text, payload)],
    outcome: "open" as const,
  })),
]);

testCases("text that is not UTF-8", authority, [
  ...Object.entries(malformed).map(([name, hex]) => ({
    name,
    send: [frame(text, bytes(hex))],
    outcome: "dropped" as const,
  })),
  // uWS validates blocks of eight and more bytes, and must find a bad byte within a block.
  ...Object.entries(malformed).map(([name, hex]) => ({
    name: `${name}, amid much good text`,
    send: [
      frame(text, Buffer.concat([Buffer.from("x".repeat(61)), bytes(hex), Buffer.from("y".repeat(67))])),
    ],
    outcome: "dropped" as const,
  })),
]);

test("well-formed text cut in two fragments at each of its bytes comes back whole", async (t) => {
  const raw = await openRaw(t, authority());
  for (const payload of Object.values(wellFormed)) {
    for (const cut of offsets(Buffer.byteLength(payload))) {
      await raw.send(Buffer.concat(fragments(text, payload, [cut])));
      await assertNextFrame(raw, expected(text, payload));
    }
  }
});

test("malformed text cut in two fragments at each of its bytes drops the connection", async (t) => {
  for (const hex of Object.values(malformed)) {
    const payload = bytes(hex);
    for (const cut of offsets(payload.length)) {
      const raw = await openRaw(t, authority());
      await raw.send(Buffer.concat(fragments(text, payload, [cut])));
      await assertEnded(raw);
    }
  }
});

test("echoes bytes that are not UTF-8 in binary messages", async (t) => {
  const raw = await openRaw(t, authority());
  for (const hex of Object.values(malformed)) {
    await raw.send(frame(binary, bytes(hex)));
    await assertNextFrame(raw, expected(binary, bytes(hex)));
  }
});

test("TextDecoder rejects malformed text too, so the tables above are right", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (const hex of Object.values(malformed)) {
    assert.throws(() => decoder.decode(bytes(hex)), hex);
  }
  for (const each of Object.values(wellFormed)) {
    assert.doesNotThrow(() => decoder.decode(Buffer.from(each)), each);
  }
});
