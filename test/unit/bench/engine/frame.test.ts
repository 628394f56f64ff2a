import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  compressedBit,
  encodeMaskedFrame,
  FrameReader,
  opcodes,
  type ProtocolFault,
} from "../../../../bench/engine/frame.ts";
import { frame } from "../../../support/misbehaving-server.ts";

/** Everything that a reader reports, in order, with the payload of messages put together. */
function readAll(chunks: readonly Uint8Array[], maxMessageBytes = 1 << 20, takesCompressed = false) {
  const seen: { what: string; opcode: number; payload: string }[] = [];
  const faults: ProtocolFault[] = [];
  let parts: Buffer[] = [];
  const reader = new FrameReader(
    {
      onPayload: (chunk, start, end) => parts.push(Buffer.from(chunk.subarray(start, end))),
      onMessage: (opcode, payloadBytes) => {
        const payload = Buffer.concat(parts);
        parts = [];
        assert.equal(payload.length, payloadBytes);
        seen.push({ what: "message", opcode, payload: payload.toString("hex") });
      },
      onControl: (opcode, payload) =>
        seen.push({ what: "control", opcode, payload: Buffer.from(payload).toString("hex") }),
      onProtocolFault: (fault) => faults.push(fault),
    },
    maxMessageBytes,
  );
  if (takesCompressed) {
    reader.allowCompressed();
  }
  for (const chunk of chunks) {
    reader.push(chunk, 0, chunk.length);
  }
  return { seen, faults };
}

/** Cuts a stream at the given places. */
function split(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return places.slice(1).map((end, i) => stream.subarray(places[i], end));
}

const sizes = fc.oneof(fc.nat(130), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000));
const control = fc.record({
  opcode: fc.constantFrom(opcodes.ping, opcodes.pong),
  payload: fc.uint8Array({ maxLength: 125 }),
});
const message = fc.record({
  opcode: fc.constantFrom(opcodes.text, opcodes.binary),
  fragments: fc.array(fc.tuple(sizes, fc.array(control, { maxLength: 2 })), { minLength: 1, maxLength: 4 }),
});

describe("FrameReader", () => {
  test("reports what a naive writer wrote, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (messages, cuts) => {
          const expected: { what: string; opcode: number; payload: string }[] = [];
          const wire: Buffer[] = [];
          for (const { opcode, fragments } of messages) {
            const whole: Buffer[] = [];
            for (const [i, [size, between]] of fragments.entries()) {
              for (const { opcode: kind, payload } of i === 0 ? [] : between) {
                wire.push(frame(kind, Buffer.from(payload)));
                expected.push({
                  what: "control",
                  opcode: kind,
                  payload: Buffer.from(payload).toString("hex"),
                });
              }
              const part = Buffer.alloc(size, i + 1);
              whole.push(part);
              wire.push(frame(i === 0 ? opcode : 0, part, { final: i === fragments.length - 1 }));
            }
            expected.push({ what: "message", opcode, payload: Buffer.concat(whole).toString("hex") });
          }
          const { seen, faults } = readAll(split(Buffer.concat(wire), cuts));
          assert.deepEqual(faults, []);
          assert.deepEqual(seen, expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("reports the same for a stream that arrives byte by byte", () => {
    const stream = Buffer.concat([
      frame(opcodes.text, "a", { final: false }),
      frame(opcodes.ping, "?"),
      frame(opcodes.continuation, Buffer.alloc(300, 1)),
      frame(opcodes.binary, Buffer.alloc(66_000, 2)),
      frame(opcodes.close, Buffer.from([3, 232])),
    ]);
    const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));
    assert.deepEqual(readAll(bytes), readAll([stream]));
    assert.equal(readAll(bytes).seen.length, 4);
  });

  const faulty: [ProtocolFault, Buffer][] = [
    ["masked-frame", frame(opcodes.text, "hi", { masked: true })],
    ["reserved-bits", frame(opcodes.text, "hi", { reservedBits: 0x40 })],
    ["unknown-opcode", frame(3, "hi")],
    ["unknown-opcode", frame(11, "hi")],
    ["non-minimal-length", Buffer.from([0x82, 126, 0, 125])],
    ["non-minimal-length", Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff])],
    ["oversized-message", Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x11, 0, 0])],
    ["oversized-message", Buffer.from([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ["control-frame-too-long", Buffer.from([0x89, 126, 0, 126])],
    ["fragmented-control-frame", frame(opcodes.ping, "", { final: false })],
    ["unexpected-continuation", frame(opcodes.continuation, "hi")],
    ["interleaved-message", Buffer.concat([frame(1, "a", { final: false }), frame(1, "b")])],
  ];
  for (const [fault, bytes] of faulty) {
    test(`calls ${bytes.subarray(0, 10).toString("hex")} a ${fault} and reads no further`, () => {
      const good = frame(opcodes.text, "after");
      const { seen, faults } = readAll([Buffer.concat([bytes, good])]);
      assert.deepEqual(faults, [fault]);
      assert.deepEqual(seen, []);
    });
  }

  test("marks compressed messages by their first frame where they are allowed, and only those", () => {
    const stream = Buffer.concat([
      frame(opcodes.text, "a", { final: false, reservedBits: 0x40 }),
      frame(opcodes.ping, "?"),
      frame(opcodes.continuation, "b"),
      frame(opcodes.binary, "c"),
      frame(opcodes.binary, "", { reservedBits: 0x40 }),
    ]);
    const { seen, faults } = readAll([stream], undefined, true);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      seen.map(({ opcode }) => opcode),
      [opcodes.ping, opcodes.text | compressedBit, opcodes.binary, opcodes.binary | compressedBit],
    );
    for (const [what, bytes] of Object.entries({
      "RSV2 besides": frame(opcodes.text, "a", { reservedBits: 0x60 }),
      "a control frame": frame(opcodes.ping, "", { reservedBits: 0x40 }),
      "a later frame": Buffer.concat([
        frame(opcodes.text, "a", { final: false, reservedBits: 0x40 }),
        frame(opcodes.continuation, "b", { reservedBits: 0x40 }),
      ]),
    })) {
      assert.deepEqual(readAll([bytes], undefined, true).faults, ["reserved-bits"], what);
    }
  });

  test("adds up the fragments of a message against the size limit", () => {
    const half = frame(opcodes.binary, Buffer.alloc(60), { final: false });
    const rest = frame(opcodes.continuation, Buffer.alloc(60));
    assert.deepEqual(readAll([half, rest], 100).faults, ["oversized-message"]);
    assert.deepEqual(readAll([half, rest], 120).faults, []);
  });
});

test("encodeMaskedFrame writes the length in each of its three forms and masks every byte", () => {
  for (const [size, header] of [
    [0, "8280"],
    [125, "82fd"],
    [126, "82fe007e"],
    [65_535, "82feffff"],
    [65_536, "82ff0000000000010000"],
  ] as const) {
    const payload = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const key = Uint8Array.of(1, 2, 3, 4);
    const encoded = encodeMaskedFrame(opcodes.binary, payload, key);
    assert.equal(encoded.subarray(0, header.length / 2).toString("hex"), header);
    const masked = encoded.subarray(header.length / 2 + 4);
    assert.deepEqual(
      Uint8Array.from(masked, (byte, i) => byte ^ ((i % 4) + 1)),
      payload,
    );
  }
});
