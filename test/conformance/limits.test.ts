// The largest message, and messages up to 16 MiB in few and in many frames and segments.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { startServer } from "../support/echo-server.ts";
import { fragments, frame, opcode, openRaw } from "../support/raw-socket.ts";
import { assertNextFrame, expected, type ProtocolCase, serverOfFile, testCases } from "./protocol-case.ts";

const { text, binary } = opcode;
const maxPayload = 100_000;
const authority = serverOfFile({ maxPayload });
const largest = randomBytes(maxPayload);
const tooLarge = randomBytes(maxPayload + 1);

testCases("the largest message", authority, [
  {
    name: "in one frame",
    send: [frame(binary, largest)],
    gets: [expected(binary, largest)],
    outcome: "open",
  },
  {
    name: "in three fragments",
    send: fragments(binary, largest, [10, 70_000]),
    gets: [expected(binary, largest)],
    outcome: "open",
  },
  {
    name: "in a hundred fragments",
    send: fragments(
      binary,
      largest,
      Array.from({ length: 99 }, (_, i) => (i + 1) * 1000),
    ),
    gets: [expected(binary, largest)],
    outcome: "open",
  },
]);

testCases("a message above the largest", authority, [
  { name: "in one frame", send: [frame(binary, tooLarge)], outcome: "dropped" },
  { name: "in two fragments", send: fragments(binary, tooLarge, [maxPayload]), outcome: "dropped" },
  { name: "in two halves", send: fragments(text, "*".repeat(maxPayload + 1), [50_000]), outcome: "dropped" },
  // The header alone decides: the server does not wait for the payload.
  ...[maxPayload + 1, 65_536 * 65_536, Number.MAX_SAFE_INTEGER].map(
    (claimedBytes): ProtocolCase => ({
      name: `only the header of a frame of ${claimedBytes} bytes`,
      send: [frame(binary, "", { claimedBytes })],
      outcome: "dropped",
    }),
  ),
]);

const miB = 1_048_576;
const sizes = [64 * 1024, 256 * 1024, miB, 4 * miB, 16 * miB];

for (const [kind, code] of [
  ["text", text],
  ["binary", binary],
] as const) {
  test(`${kind} messages of 64 KiB to 16 MiB come back whole, in one frame and in fragments`, async (t) => {
    const server = await startServer(t);
    const raw = await openRaw(t, `127.0.0.1:${server.port}`);
    for (const bytes of sizes) {
      const payload = code === text ? Buffer.alloc(bytes, "Ein Wort, gesprochen. ") : randomBytes(bytes);
      const cuts = Array.from({ length: 63 }, (_, i) => ((i + 1) * bytes) / 64);
      for (const frames of [[frame(code, payload)], fragments(code, payload, cuts)]) {
        await raw.send(Buffer.concat(frames), 1_000_003);
        await assertNextFrame(raw, expected(code, payload));
      }
    }
    const stats = await server.stats();
    assert.equal(stats[`echo_messages_received_total{type="${kind}"}`], 2 * sizes.length);
    assert.equal(stats[`echo_messages_sent_total{type="${kind}"}`], 2 * sizes.length);
  });
}

test("a thousand messages of each of many sizes come back in order", async (t) => {
  const raw = await openRaw(t, authority());
  for (const bytes of [0, 16, 64, 256, 1024, 4096]) {
    const messages = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(bytes, `${i}:`));
    const sent = raw.send(Buffer.concat(messages.map((each) => frame(binary, each))), 65_536);
    for (const each of messages) {
      await assertNextFrame(raw, expected(binary, each));
    }
    await sent;
  }
});
