// Frames and their headers: lengths, reserved bits and opcodes, pings, fragments (RFC 6455, sections 5.2 to 5.6).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { closing, fragments, frame, opcode, openRaw } from "../support/raw-socket.ts";
import {
  assertEnded,
  assertNextFrame,
  expected,
  type ProtocolCase,
  serverOfFile,
  testCases,
} from "./protocol-case.ts";

const { continuation, text, binary, close, ping, pong } = opcode;
const authority = serverOfFile();

/** Lengths at and around the limits of each form of the length field. */
const lengths = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537];

testCases("every form of the payload length", authority, [
  ...lengths.map((bytes): ProtocolCase => {
    const payload = randomBytes(bytes);
    return {
      name: `${bytes} bytes of binary`,
      send: [frame(binary, payload)],
      gets: [expected(binary, payload)],
      outcome: "open",
    };
  }),
  ...lengths.map((bytes): ProtocolCase => {
    const payload = "*".repeat(bytes);
    return {
      name: `${bytes} bytes of text`,
      send: [frame(text, payload)],
      gets: [expected(text, payload)],
      outcome: "open",
    };
  }),
  // RFC 6455 wants the shortest form; uWS reads the others too.
  ...([2, 8] as const).map(
    (lengthBytes): ProtocolCase => ({
      name: `a length field of ${lengthBytes} bytes for 5 bytes`,
      send: [frame(text, "hello", { lengthBytes })],
      gets: [expected(text, "hello")],
      outcome: "open",
    }),
  ),
  {
    name: "a length with the most significant bit set",
    send: [frame(binary, "hello", { claimedBytes: 1n << 63n })],
    outcome: "dropped",
  },
  {
    name: "a length just above 4 GiB, whose low half is small",
    send: [frame(binary, "hello", { claimedBytes: (1n << 32n) + 5n })],
    outcome: "dropped",
  },
]);

testCases("pings and pongs", authority, [
  ...["", "hello", "*".repeat(125), Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc])].map(
    (payload): ProtocolCase => ({
      name: `a ping of ${payload.length} bytes (${typeof payload})`,
      send: [frame(ping, payload)],
      gets: [expected(pong, payload)],
      outcome: "open",
    }),
  ),
  {
    name: "ten pings at once are answered in order",
    send: Array.from({ length: 10 }, (_, i) => frame(ping, `ping ${i}`)),
    gets: Array.from({ length: 10 }, (_, i) => expected(pong, `ping ${i}`)),
    outcome: "open",
  },
  { name: "a pong that nobody asked for", send: [frame(pong), frame(pong, "hello")], outcome: "open" },
  {
    name: "a pong that nobody asked for, then a ping",
    send: [frame(pong, "pong"), frame(ping, "ping")],
    gets: [expected(pong, "ping")],
    outcome: "open",
  },
  { name: "a ping of 126 bytes", send: [frame(ping, "*".repeat(126))], outcome: "dropped" },
  { name: "a pong of 126 bytes", send: [frame(pong, "*".repeat(126))], outcome: "dropped" },
  {
    name: "a ping with a longer length field",
    send: [frame(ping, "x", { lengthBytes: 2 })],
    outcome: "dropped",
  },
  { name: "a fragmented ping", send: [frame(ping, "x", { isFinal: false })], outcome: "dropped" },
]);

testCases(
  "reserved bits with no extension agreed",
  authority,
  [text, binary, close, ping, pong].flatMap((code) =>
    [1, 2, 3, 4, 5, 6, 7].map(
      (reserved): ProtocolCase => ({
        name: `RSV ${reserved.toString(2).padStart(3, "0")} on opcode ${code}`,
        send: [frame(code, code === close ? closing(1000) : "hello", { reserved })],
        outcome: "dropped",
      }),
    ),
  ),
);

testCases(
  "reserved opcodes",
  authority,
  [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((code): ProtocolCase[] => [
    { name: `opcode ${code}, empty`, send: [frame(code)], outcome: "dropped" },
    { name: `opcode ${code}, with a payload`, send: [frame(code, "hello"), frame(ping)], outcome: "dropped" },
  ]),
);

const sentence = "Each fragment of it comes on its own.";
testCases("fragments", authority, [
  ...[text, binary].flatMap((code): ProtocolCase[] => [
    {
      name: `a message of two fragments (opcode ${code})`,
      send: fragments(code, sentence, [5]),
      gets: [expected(code, sentence)],
      outcome: "open",
    },
    {
      name: `one byte a fragment (opcode ${code})`,
      send: fragments(
        code,
        sentence,
        Array.from({ length: sentence.length - 1 }, (_, i) => i + 1),
      ),
      gets: [expected(code, sentence)],
      outcome: "open",
    },
    {
      name: `empty fragments at the start, in the middle and at the end (opcode ${code})`,
      send: fragments(code, sentence, [0, 0, 7, 7, sentence.length, sentence.length]),
      gets: [expected(code, sentence)],
      outcome: "open",
    },
    {
      name: `only empty fragments (opcode ${code})`,
      send: fragments(code, "", [0, 0, 0]),
      gets: [expected(code, "")],
      outcome: "open",
    },
    {
      name: `a ping between any two fragments (opcode ${code})`,
      send: fragments(code, sentence, [5, 10, 15]).flatMap((each, i) => [each, frame(ping, `${i}`)]),
      gets: [
        ...["0", "1", "2"].map((payload) => expected(pong, payload)),
        expected(code, sentence),
        expected(pong, "3"),
      ],
      outcome: "open",
    },
    {
      name: `a pong between two fragments (opcode ${code})`,
      send: fragments(code, sentence, [5]).flatMap((each) => [each, frame(pong, "?")]),
      gets: [expected(code, sentence)],
      outcome: "open",
    },
    {
      name: `three messages of three fragments each (opcode ${code})`,
      send: [1, 2, 3].flatMap(() => fragments(code, sentence, [9, 18])),
      gets: [1, 2, 3].map(() => expected(code, sentence)),
      outcome: "open",
    },
  ]),
  {
    name: "a text message before the last fragment",
    send: [frame(text, "a", { isFinal: false }), frame(text, "b")],
    outcome: "dropped",
  },
  {
    name: "a fragmented text message before the last fragment of a binary one",
    send: [frame(binary, "a", { isFinal: false }), frame(text, "b", { isFinal: false })],
    outcome: "dropped",
  },
  // Section 5.4 forbids this too, but uWS treats a binary frame here as one more fragment.
  {
    name: "a binary message before the last fragment",
    send: [frame(binary, "a", { isFinal: false }), frame(binary, "b")],
    gets: [expected(binary, "ab")],
    outcome: "open",
  },
  { name: "a continuation of nothing", send: [frame(continuation, "x")], outcome: "dropped" },
  {
    name: "a continuation of nothing that is to go on",
    send: [frame(continuation, "x", { isFinal: false }), frame(continuation, "y")],
    outcome: "dropped",
  },
  {
    name: "a close between two fragments",
    send: [frame(text, "a", { isFinal: false }), frame(close, closing(1000)), frame(continuation, "b")],
    outcome: closing(1000),
  },
]);

test("echoes a whole message, and drops the connection at a continuation after it", async (t) => {
  const raw = await openRaw(t, authority());
  await raw.send(Buffer.concat(fragments(text, sentence, [5])));
  await assertNextFrame(raw, expected(text, sentence));
  await raw.send(frame(continuation, "more"));
  await assertEnded(raw);
});

test("an unmasked frame is never echoed unchanged, and ends the connection once more bytes arrive", async (t) => {
  const raw = await openRaw(t, authority());
  await raw.send(frame(text, "hello, no mask", { isMasked: false }));
  // uWS reads the first bytes of the payload as the mask key, so the rest is not valid text, or not a frame.
  await raw.send(Buffer.alloc(4096, 0xff));
  const rest = await raw.ended();
  assert.equal(rest.includes("hello, no mask"), false);
});
