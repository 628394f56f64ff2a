// Makes payloads and their pre-built frames, and checks each reply against them.

import { createHash, randomBytes } from "node:crypto";
import { randomSeed, seededBytes } from "../../src/lib/random.ts";
import { deflateMessage, storedHeaderBytes } from "./deflate.ts";
import { compressedBit, encodeMaskedFrame, maskedHeaderBytes, opcodes } from "./frame.ts";

export type MessageType = "text" | "binary";

/** none: any message is a reply. length: type and length must match. full: every byte and the sequence number. */
export type Verify = "none" | "length" | "full";

/** What was wrong with a reply; the name is the error kind that a Result counts. */
export type ReplyFault =
  | "wrong-type"
  | "wrong-length"
  | "wrong-bytes"
  | "wrong-sequence"
  | "invalid-deflate"
  | UnaskedFault;

/** A reply that is correct but answers no message. */
export type UnaskedFault = "surplus-reply" | "duplicate-reply" | "reordered-reply";

/** With `full`, the first bytes of a payload carry its sequence number, as hexadecimal digits, lowest first. */
export const sequenceDigits = 8;

const tapeLimitBytes = 256 * 1024;
const batchLimit = 1024;
const hex = Buffer.from("0123456789abcdef");

export function opcodeOf(type: MessageType): number {
  return type === "text" ? opcodes.text : opcodes.binary;
}

/** What payloads are made of. random: does not compress. words: about as text does. zeros: to almost nothing. */
export const fills = ["random", "words", "zeros"] as const;
export type Fill = (typeof fills)[number];

const words =
  "the quick brown fox jumps over a lazy dog while seven bright stars shine upon this old quiet town".split(
    " ",
  );

/**
 * Random bytes are any for binary and printable ASCII for text; words are ASCII, and zeros are digits in a text.
 * @param seed the same one gives the same payload
 */
export function makePayload(
  payloadBytes: number,
  type: MessageType,
  fill: Fill = "random",
  seed: number = randomSeed(),
): Uint8Array {
  if (fill === "zeros") {
    return new Uint8Array(payloadBytes).fill(type === "text" ? 0x30 : 0);
  }
  if (fill === "words") {
    return makeWords(payloadBytes, seed);
  }
  const payload = new Uint8Array(seededBytes(payloadBytes, seed));
  return type === "binary" ? payload : payload.map((byte) => 0x20 + (byte % 95));
}

/** Words in random order: what repeats is words, not sentences. */
function makeWords(payloadBytes: number, seed: number): Uint8Array {
  const order = seededBytes(Math.ceil(payloadBytes / 2) + 1, seed);
  let text = "";
  for (let i = 0; text.length < payloadBytes; i += 1) {
    text += `${words[(order[i] ?? 0) % words.length]} `;
  }
  return Buffer.from(text.slice(0, payloadBytes), "latin1");
}

/** SHA-256 of the payload, or of several payloads concatenated; sha256sum of a file prints the same. */
export function payloadHash(payloads: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const payload of payloads) {
    hash.update(payload);
  }
  return hash.digest("hex");
}

/** The digit of `sequence` at `position`, as an ASCII code. */
function digitOf(sequence: number, position: number): number {
  return hex[Math.floor(sequence / 16 ** position) % 16] ?? 0;
}

/** Writes `sequence` over the first bytes of `payload`. */
export function stampSequence(payload: Uint8Array, sequence: number): void {
  const digits = Math.min(sequenceDigits, payload.length);
  for (let i = 0; i < digits; i += 1) {
    payload[i] = digitOf(sequence, i);
  }
}

/**
 * The frames of all messages, built and masked once, laid out so that any run of consecutive messages is one
 * contiguous piece: a batch goes out with a single write, without copying and without building anything.
 * Message `sequence` carries payload `sequence mod payloads.length`. One mask key serves every frame: RFC 6455 asks
 * for a fresh one against proxies that are fooled by chosen bytes, which a load test of one's own target is not.
 */
export class FrameTape {
  /** Most messages that one batch can hold. */
  readonly maxBatch: number;
  readonly #payloads: readonly Uint8Array[];
  readonly #frameBytes: readonly number[];
  /** Of the frames, which differ by the lengths of their payloads. */
  readonly #headerBytes: readonly number[];
  readonly #stamped: boolean;
  /** Bytes in front of the sequence number in a masked payload. */
  readonly #leadBytes: number;
  readonly #maskKey = randomBytes(4);
  readonly #tape: Buffer;
  readonly #offsets: readonly number[];
  readonly #views: (Buffer | undefined)[] = [];

  /**
   * @param stamped write each message's sequence number into it, at the price of a copy per batch
   * @param windowBits compress each message with such a window; undefined to leave it as it is
   */
  constructor(
    payloads: readonly Uint8Array[],
    type: MessageType,
    stamped: boolean,
    windowBits?: number | undefined,
  ) {
    const isCompressed = windowBits !== undefined;
    const opcode = opcodeOf(type) | (isCompressed ? compressedBit : 0);
    // The number of a compressed message is in a block that only stores it.
    const contents = isCompressed
      ? payloads.map((payload) => deflateMessage(payload, windowBits, stamped ? sequenceDigits : 0))
      : payloads;
    const frames = contents.map((content) => encodeMaskedFrame(opcode, content, this.#maskKey));
    const longest = Math.max(...frames.map((frame) => frame.length));
    this.maxBatch = Math.max(1, Math.min(batchLimit, Math.floor(tapeLimitBytes / longest)));
    this.#payloads = payloads;
    this.#frameBytes = frames.map((frame) => frame.length);
    this.#headerBytes = contents.map((content) => maskedHeaderBytes(content.length));
    this.#stamped = stamped;
    this.#leadBytes = isCompressed ? storedHeaderBytes : 0;
    const laidOut = Array.from({ length: frames.length + this.maxBatch - 1 }, (_, i) => at(frames, i));
    const offsets = [0];
    for (const frame of laidOut) {
      offsets.push((offsets.at(-1) ?? 0) + frame.length);
    }
    this.#offsets = offsets;
    this.#tape = Buffer.concat(laidOut);
  }

  /** The frames of messages `sequence` to `sequence + count - 1`; `count` is 1 to maxBatch. */
  batch(sequence: number, count: number): Buffer {
    const first = sequence % this.#payloads.length;
    const key = first * this.maxBatch + count - 1;
    const start = this.#offsets[first] ?? 0;
    let view = this.#views[key];
    if (view === undefined) {
      view = this.#tape.subarray(start, this.#offsets[first + count]);
      this.#views[key] = view;
    }
    return this.#stamped ? this.#stamp(Buffer.from(view), sequence, count) : view;
  }

  #stamp(batch: Buffer, sequence: number, count: number): Buffer {
    const leadBytes = this.#leadBytes;
    let frameStart = 0;
    for (let i = 0; i < count; i += 1) {
      const digits = Math.min(sequenceDigits, at(this.#payloads, sequence + i).length);
      const payloadStart = frameStart + at(this.#headerBytes, sequence + i);
      for (let d = 0; d < digits; d += 1) {
        const position = leadBytes + d;
        batch[payloadStart + position] = digitOf(sequence + i, d) ^ (this.#maskKey[position & 3] ?? 0);
      }
      frameStart += at(this.#frameBytes, sequence + i);
    }
    return batch;
  }
}

/** The item that message `sequence` carries. There is always at least one. */
export function at<T>(items: readonly T[], sequence: number): T {
  const item = items[items.length === 1 ? 0 : sequence % items.length];
  if (item === undefined) {
    throw new RangeError("there must be at least one payload");
  }
  return item;
}
