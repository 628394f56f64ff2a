// A permessage-deflate client on zlib (RFC 7692, section 7.2) that enforces windows strictly.
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from "node:zlib";

/** The negotiated compression of one direction. */
export interface Direction {
  readonly windowBits: number;
  readonly keepsContext: boolean;
}

const tail = Buffer.from([0, 0, 0xff, 0xff]);

/** Compresses messages as one side of a connection. */
export class Deflater {
  readonly #direction: Direction;
  #stream: DeflateRaw | undefined;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** @param level of zlib; 0 stores, and does not compress */
  async deflate(payload: Uint8Array, level?: number): Promise<Buffer> {
    const { windowBits, keepsContext } = this.#direction;
    const options = { windowBits, ...(level !== undefined && { level }) };
    this.#stream ??= createDeflateRaw(options);
    const bytes = await pass(this.#stream, payload);
    if (!keepsContext) {
      this.#stream = undefined;
    }
    return bytes.subarray(0, -tail.length);
  }
}

/** Decompresses messages as one side of a connection. Rejects references beyond the window. */
export class Inflater {
  readonly #direction: Direction;
  #stream: InflateRaw | undefined;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  async inflate(payload: Uint8Array): Promise<Buffer> {
    const { windowBits, keepsContext } = this.#direction;
    // The output buffer must be small, because zlib also finds references into it.
    this.#stream ??= createInflateRaw({ windowBits, chunkSize: constants.Z_MIN_CHUNK });
    const bytes = await pass(this.#stream, Buffer.concat([payload, tail]));
    if (!keepsContext) {
      this.#stream = undefined;
    }
    return bytes;
  }
}

function pass(stream: DeflateRaw | InflateRaw, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => {
      chunks.push(chunk);
    };
    stream.on("data", keep).once("error", reject);
    stream.write(bytes);
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off("data", keep).off("error", reject);
      resolve(Buffer.concat(chunks));
    });
  });
}

/** The response of a dedicated compressor to a plain offer: it keeps its context. */
export const plain = "permessage-deflate";
/** The response of the shared compressor: it keeps no context, and has the largest window. */
export const contextless = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";

/** Parses the compression of each direction from a response (RFC 7692, section 7.1). */
export function readAnswer(answer: string): { client: Direction; server: Direction } {
  const bits = (side: string): number =>
    Number(new RegExp(`${side}_max_window_bits=(\\d+)`).exec(answer)?.[1] ?? 15);
  const keeps = (side: string): boolean => !answer.includes(`${side}_no_context_takeover`);
  return {
    client: { windowBits: bits("client"), keepsContext: keeps("client") },
    server: { windowBits: bits("server"), keepsContext: keeps("server") },
  };
}
