// permessage-deflate of a client (RFC 7692): the offer, the target's answer, and messages in one piece.

import { deflateRawSync, inflateRawSync, constants as zlib } from "node:zlib";

/** Messages are compressed once and sent many times, so none of them may refer to an earlier one. */
export const deflateOffer = "permessage-deflate; client_no_context_takeover; client_max_window_bits";

/** What the target agreed to. Windows are powers of two, 8 to 15. */
export interface Compression {
  /** The largest window for messages of the client. */
  readonly clientWindowBits: number;
  readonly serverWindowBits: number;
  /** A message of the target may refer to its earlier ones. */
  readonly serverKeepsContext: boolean;
}

/** Every message ends with an empty block, of which these bytes are not sent (section 7.2.1). */
const tail = Buffer.from([0, 0, 0xff, 0xff]);

/** The header of a stored block (RFC 1951, section 3.2.4), in bytes. */
export const storedHeaderBytes = 5;

export const largestWindowBits = 15;

/** Reads `Sec-WebSocket-Extensions` of the answer to the offer. Returns what is wrong with it as a sentence. */
export function readDeflateAnswer(answer: string): Compression | string {
  const [name = "", ...parameters] = answer.split(";").map((part) => part.trim());
  if (name.toLowerCase() !== "permessage-deflate") {
    return `the target chose the extension ${JSON.stringify(name)}, which was not offered`;
  }
  const read = new Map<string, string>();
  for (const parameter of parameters) {
    const [, key = "", quoted, bare] = parameterPattern.exec(parameter.toLowerCase()) ?? [];
    const value = quoted ?? bare ?? "";
    const valuePattern = valuePatterns.get(key);
    if (valuePattern?.test(value) !== true || read.has(key)) {
      return `the target answered permessage-deflate with the parameter ${JSON.stringify(parameter)}, which RFC 7692 does not allow there`;
    }
    read.set(key, value);
  }
  return {
    clientWindowBits: Number(read.get("client_max_window_bits") ?? largestWindowBits),
    serverWindowBits: Number(read.get("server_max_window_bits") ?? largestWindowBits),
    serverKeepsContext: !read.has("server_no_context_takeover"),
  };
}

const parameterPattern = /^([a-z_]+)(?:\s*=\s*(?:"([^"]+)"|([^"]+)))?$/;
const noValue = /^$/;
const windowBits = /^(?:[89]|1[0-5])$/;
const valuePatterns = new Map([
  ["client_no_context_takeover", noValue],
  ["server_no_context_takeover", noValue],
  ["client_max_window_bits", windowBits],
  ["server_max_window_bits", windowBits],
]);

/**
 * Compresses one message that refers to no other.
 * @param windowBits 8 to 15; zlib takes 9 for 8, but leaves at least 262 bytes of a window unused
 * @param storedBytes so many bytes of the payload's start stay as they are, after `storedHeaderBytes`, so that they
 *   can be changed later
 */
export function deflateMessage(payload: Uint8Array, windowBits = largestWindowBits, storedBytes = 0): Buffer {
  const stored = payload.subarray(0, storedBytes);
  const rest = deflateRawSync(payload.subarray(stored.length), {
    windowBits,
    finishFlush: zlib.Z_SYNC_FLUSH,
  }).subarray(0, -tail.length);
  return stored.length === 0 ? rest : Buffer.concat([storedHeader(stored.length), stored, rest]);
}

function storedHeader(bytes: number): Buffer {
  const header = Buffer.alloc(storedHeaderBytes);
  header.writeUInt16LE(bytes, 1);
  header.writeUInt16LE(~bytes & 0xffff, 3);
  return header;
}

/** Why a message could not be decompressed. */
export type InflateFault = "invalid-deflate" | "oversized-message";

/** Decompresses the messages of one target: of one connection if the target keeps its context, else of any number. */
export class Inflater {
  readonly #windowBits: number;
  readonly #maxMessageBytes: number;
  /** Undefined when messages stand alone. */
  readonly #context: Context | undefined;
  /** The latest message that stood alone: the same bytes mean the same message again. */
  #latest: { readonly compressed: Buffer; readonly message: Buffer } | undefined;

  /** @param maxMessageBytes a message that would become longer is not decompressed any further */
  constructor(
    { serverWindowBits, serverKeepsContext }: Omit<Compression, "clientWindowBits">,
    maxMessageBytes: number,
  ) {
    this.#windowBits = serverWindowBits;
    this.#maxMessageBytes = maxMessageBytes;
    this.#context = serverKeepsContext ? new Context(2 ** serverWindowBits) : undefined;
  }

  /** Returns the message, which must not be changed. After a fault, the context is what it was before. */
  inflate(compressed: Uint8Array): Buffer | InflateFault {
    if (this.#latest?.compressed.equals(compressed) === true) {
      return this.#latest.message;
    }
    const dictionary = this.#context?.bytes;
    let message: Buffer;
    try {
      message = inflateRawSync(Buffer.concat([compressed, tail]), {
        windowBits: this.#windowBits,
        finishFlush: zlib.Z_SYNC_FLUSH,
        maxOutputLength: this.#maxMessageBytes,
        ...(dictionary === undefined ? {} : { dictionary }),
      });
    } catch (error) {
      return faultOf(error);
    }
    if (this.#context === undefined) {
      this.#latest = { compressed: Buffer.from(compressed), message };
    } else {
      this.#context.add(message);
    }
    return message;
  }
}

/** @throws what is not zlib's */
function faultOf(error: unknown): InflateFault {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ERR_BUFFER_TOO_LARGE":
      return "oversized-message";
    case "Z_DATA_ERROR":
      return "invalid-deflate";
    default:
      throw error;
  }
}

/** The last bytes of what a connection has received, as far as its window reaches. */
class Context {
  readonly #windowBytes: number;
  /** Twice a window, so that bytes move only once a window. */
  #buffer: Buffer | undefined;
  #endBytes = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** Undefined while there are none. */
  get bytes(): Buffer | undefined {
    return this.#buffer?.subarray(Math.max(0, this.#endBytes - this.#windowBytes), this.#endBytes);
  }

  add(message: Buffer): void {
    const added = message.subarray(-this.#windowBytes);
    if (added.length === 0) {
      return;
    }
    this.#buffer ??= Buffer.allocUnsafeSlow(2 * this.#windowBytes);
    if (this.#endBytes + added.length > this.#buffer.length) {
      const keptBytes = Math.min(this.#endBytes, this.#windowBytes);
      this.#buffer.copyWithin(0, this.#endBytes - keptBytes, this.#endBytes);
      this.#endBytes = keptBytes;
    }
    added.copy(this.#buffer, this.#endBytes);
    this.#endBytes += added.length;
  }
}
