// What the raw connections of one thread share: frames, a read buffer, and decompression without a context.

import { randomBytes } from "node:crypto";
import type { Endpoint } from "./connection.ts";
import { type Compression, Inflater, largestWindowBits } from "./deflate.ts";
import { FrameTape } from "./payload.ts";
import { readBytesAt } from "./read-limit.ts";
import { type Numbering, personalise } from "./template.ts";

/** One read buffer for all connections of a thread: its content is processed before the next read. */
const readBufferBytes = 256 * 1024;

/** A message longer than this, or than twice the longest we send, is not an echo. */
const messageLimitBytes = 16 * 1024 * 1024;

export interface Shared {
  readonly endpoint: Endpoint;
  readonly personal: ReturnType<typeof personalise>;
  readonly isSecure: boolean;
  readonly where: string;
  readonly tape: FrameTape;
  /** The same messages compressed, for targets that agreed to it. */
  readonly compressedTape: (windowBits: number) => FrameTape;
  readonly inflaterFor: (compression: Compression) => Inflater;
  readonly readBuffer: Buffer;
  /** One for all, as in FrameTape. */
  readonly maskKey: Buffer;
  readonly maxMessageBytes: number;
  /** Of slow readers; smaller. */
  readonly slowBuffer: Buffer | undefined;
}

export function createShared(endpoint: Endpoint, numbering: Numbering): Shared {
  const { payloads, type, deflate, readBytesPerSecond } = endpoint;
  const url = new URL(endpoint.url);
  const longest = Math.max(0, ...payloads.map((payload) => payload.length));
  const maxMessageBytes = Math.max(messageLimitBytes, 2 * longest);
  const isStamped = endpoint.verify === "full";
  const compressedTape = once((windowBits) => new FrameTape(payloads, type, isStamped, windowBits));
  if (deflate) {
    compressedTape(largestWindowBits); // Compressed before the load; smaller windows are rare.
  }
  const contextless = once(
    (serverWindowBits) => new Inflater({ serverWindowBits, serverKeepsContext: false }, maxMessageBytes),
  );
  return {
    endpoint,
    personal: personalise(endpoint, numbering),
    isSecure: url.protocol === "wss:",
    where: url.host,
    tape: new FrameTape(payloads, type, isStamped),
    compressedTape,
    inflaterFor: (compression) =>
      compression.serverKeepsContext
        ? new Inflater(compression, maxMessageBytes)
        : contextless(compression.serverWindowBits),
    readBuffer: Buffer.allocUnsafe(readBufferBytes),
    maskKey: randomBytes(4),
    maxMessageBytes,
    slowBuffer:
      readBytesPerSecond === undefined ? undefined : Buffer.allocUnsafe(readBytesAt(readBytesPerSecond)),
  };
}

/** Makes one thing for each window. */
function once<T>(make: (windowBits: number) => T): (windowBits: number) => T {
  const made = new Map<number, T>();
  return (windowBits) => {
    const thing = made.get(windowBits) ?? make(windowBits);
    made.set(windowBits, thing);
    return thing;
  };
}
