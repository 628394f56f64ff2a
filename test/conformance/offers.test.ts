// Responses to permessage-deflate offers (RFC 7692, sections 5 and 7.1), and whether messages then comply with them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { frame, opcode, openRaw, type RawSocket } from "../support/raw-socket.ts";
import { contextless, Deflater, type Direction, Inflater, plain, readAnswer } from "./deflate.ts";
import { assertNextFrame, expected, serverOfFile } from "./protocol-case.ts";

const { text, binary } = opcode;
const rsv1 = 4;
const compressors = ["shared", "dedicated"] as const;
const authorities = {
  shared: serverOfFile({ compression: "shared", compressionMinSize: 0, maxPayload: "1MiB" }),
  dedicated: serverOfFile({ compression: "dedicated", compressionMinSize: 0, maxPayload: "1MiB" }),
};

/** An offer, and the response of each compressor; undefined if it is declined. */
interface Offer {
  readonly offer: string;
  readonly shared: string | undefined;
  readonly dedicated: string | undefined;
}

const offers: readonly Offer[] = [
  { offer: plain, shared: contextless, dedicated: plain },
  { offer: "PerMessage-Deflate", shared: contextless, dedicated: plain },
  { offer: "permessage-deflate; client_max_window_bits", shared: contextless, dedicated: plain },
  { offer: "permessage-deflate; client_max_window_bits=8", shared: contextless, dedicated: plain },
  { offer: "permessage-deflate; client_max_window_bits=12", shared: contextless, dedicated: plain },
  { offer: 'permessage-deflate; client_max_window_bits="15"', shared: contextless, dedicated: plain },
  {
    offer: "permessage-deflate; client_no_context_takeover",
    shared: contextless,
    dedicated: "permessage-deflate; client_no_context_takeover",
  },
  { offer: "permessage-deflate; server_no_context_takeover", shared: contextless, dedicated: undefined },
  {
    offer: "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    shared: contextless,
    dedicated: undefined,
  },
  { offer: "permessage-deflate; server_max_window_bits=8", shared: undefined, dedicated: undefined },
  ...[9, 10, 11, 12, 13, 14].map(
    (bits): Offer => ({
      offer: `permessage-deflate; server_max_window_bits=${bits}`,
      shared: undefined,
      dedicated: `permessage-deflate; server_max_window_bits=${bits}`,
    }),
  ),
  {
    offer: "permessage-deflate; server_max_window_bits=15",
    shared: undefined,
    dedicated: "permessage-deflate; server_max_window_bits=14",
  },
  {
    offer: 'permessage-deflate; server_max_window_bits="11"; client_max_window_bits',
    shared: undefined,
    dedicated: "permessage-deflate; server_max_window_bits=11",
  },
  {
    offer: "permessage-deflate; client_max_window_bits=12; server_max_window_bits=12",
    shared: undefined,
    dedicated: "permessage-deflate; server_max_window_bits=12",
  },
  {
    offer: "permessage-deflate;client_no_context_takeover;server_max_window_bits=10",
    shared: undefined,
    dedicated: "permessage-deflate; client_no_context_takeover; server_max_window_bits=10",
  },
  // Several offers: the first that the server can fulfil.
  {
    offer: "permessage-deflate; server_max_window_bits=8, permessage-deflate",
    shared: contextless,
    dedicated: plain,
  },
  {
    offer:
      "permessage-deflate; server_max_window_bits=9; server_no_context_takeover, permessage-deflate; server_max_window_bits=10, permessage-deflate",
    shared: contextless,
    dedicated: "permessage-deflate; server_max_window_bits=10",
  },
  { offer: "x-unknown; permessage-deflate, permessage-deflate", shared: contextless, dedicated: plain },
  {
    offer: 'x-unknown; a="permessage-deflate, b; c", permessage-deflate',
    shared: contextless,
    dedicated: plain,
  },
  // Invalid offers, and offers of other extensions.
  ...[
    "x-webkit-deflate-frame",
    "permessage-bzip2",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; server_max_window_bits=1e1",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
    'permessage-deflate; server_max_window_bits="10',
    'permessage-deflate; server_max_window_bits=10"',
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=",
    "permessage-deflate; client_no_context_takeover=true",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; unknown_parameter",
    "permessage-deflate; unknown_parameter=10",
    "permessage-deflate server_max_window_bits=10",
    "permessage-deflate=10",
  ].map((offer) => ({ offer, shared: undefined, dedicated: undefined })),
];

/** The same noise twice, which compresses only by references over its whole length. */
function twice(bytes: number): Buffer {
  const noise = randomBytes(bytes);
  return Buffer.concat([noise, noise]);
}

const again = randomBytes(600);
const payloads = [
  Buffer.from("Compressed, and compressed again."),
  Buffer.from("Compressed, and compressed again."),
  Buffer.alloc(0),
  again,
  again,
  // Just below and above each window from 512 bytes to 32 KiB.
  ...[9, 10, 11, 12, 13, 14].flatMap((bits) => [twice(2 ** bits - 300), twice(2 ** bits + 100)]),
  Buffer.from(JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ id: i, name: `item ${i}` })))),
  randomBytes(20_000),
  Buffer.alloc(70_000, "*"),
];

for (const compressor of compressors) {
  test(`complies with its responses to offers, with a ${compressor} compressor`, async (t) => {
    for (const each of offers) {
      await t.test(each.offer, async (t) => {
        const raw = await openRaw(t, authorities[compressor](), { "Sec-WebSocket-Extensions": each.offer });
        assert.equal(raw.head.headers["sec-websocket-extensions"], each[compressor]);
        if (each[compressor] === undefined) {
          return await assertUncompressed(raw);
        }
        await assertExchange(raw, readAnswer(each[compressor]));
      });
    }
  });
}

async function assertUncompressed(raw: RawSocket): Promise<void> {
  const payload = Buffer.alloc(5000, "*");
  await raw.send(frame(text, payload));
  await assertNextFrame(raw, expected(text, payload));
}

/** Sends every payload compressed, and inflates the replies with exactly the negotiated window. */
async function assertExchange(
  raw: RawSocket,
  agreed: { client: Direction; server: Direction },
): Promise<void> {
  const deflater = new Deflater(agreed.client);
  const inflater = new Inflater(agreed.server);
  for (const payload of payloads) {
    await raw.send(frame(binary, await deflater.deflate(payload), { reserved: rsv1 }));
    const reply = await raw.readFrame();
    // uWS does not compress an empty message.
    const reserved = payload.length > 0 ? rsv1 : 0;
    assert.deepEqual(
      [reply.opcode, reply.isFinal, reply.reserved],
      [binary, true, reserved],
      `${payload.length} bytes`,
    );
    if (reserved === 0) {
      continue;
    }
    const echoed = await inflater.inflate(reply.payload);
    assert.ok(echoed.equals(payload), `${payload.length} bytes came back as ${echoed.length} or other ones`);
  }
}

test("the inflater of these tests detects a window that is too large", async () => {
  for (const bits of [9, 10, 11, 12, 13, 14]) {
    const deflated = await new Deflater({ windowBits: bits + 1, keepsContext: true }).deflate(
      twice(2 ** bits + 100),
    );
    const inflater = new Inflater({ windowBits: bits, keepsContext: true });
    await assert.rejects(inflater.inflate(deflated), /too far back/, `${bits} bits`);
  }
});

test("several Sec-WebSocket-Extensions headers count as one", async (t) => {
  const raw = await openRaw(t, authorities.dedicated(), {
    "Sec-WebSocket-Extensions": ["x-unknown", "permessage-deflate; server_max_window_bits=10"],
  });
  assert.equal(raw.head.headers["sec-websocket-extensions"], "permessage-deflate; server_max_window_bits=10");
});
