// A WebSocket client on a bare TCP socket: sends any bytes, valid or not, and returns the bytes that arrive. Parses
// frames (RFC 6455, section 5.2) and HTTP heads without checking them.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Cleanup } from "./echo-server.ts";
import { inTime } from "./wait.ts";

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly isFinal: boolean;
  /** RSV1 to RSV3 as a number from 0 to 7; RSV1 is 4. */
  readonly reserved: number;
}

/** How to build a frame. Defaults comply with RFC 6455. */
export interface FrameOptions {
  readonly isFinal?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** Bytes of the length field: 0 for the seven bits alone, 2 or 8. By default the shortest that fits. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** The length that the header claims, if it is not that of the payload. */
  readonly claimedBytes?: number | bigint;
}

/** The bytes of one frame. */
export function frame(code: number, payload: Uint8Array | string = "", options: FrameOptions = {}): Buffer {
  const body = Buffer.from(payload);
  const { isFinal = true, reserved = 0, isMasked = true } = options;
  const claimed = BigInt(options.claimedBytes ?? body.length);
  const lengthBytes = options.lengthBytes ?? (claimed < 126n ? 0 : claimed < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | code;
  head[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 0 ? Number(claimed) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) {
    head.writeUInt16BE(Number(claimed), 2);
  }
  if (lengthBytes === 8) {
    head.writeBigUInt64BE(claimed, 2);
  }
  if (!isMasked) {
    return Buffer.concat([head, body]);
  }
  const key = randomBytes(4);
  for (let i = 0; i < body.length; i++) {
    body[i] = (body[i] as number) ^ (key[i & 3] as number);
  }
  return Buffer.concat([head, key, body]);
}

/** A close frame's payload. */
export function closing(code: number, reason: Uint8Array | string = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** A message in several frames, split at the given offsets of its payload. */
export function fragments(code: number, payload: Uint8Array | string, cuts: readonly number[]): Buffer[] {
  const body = Buffer.from(payload);
  return [...cuts, body.length].map((end, index) =>
    frame(index === 0 ? code : opcode.continuation, body.subarray(cuts[index - 1] ?? 0, end), {
      isFinal: index === cuts.length,
    }),
  );
}

export interface HttpHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The bytes of a handshake. `headers` replaces the usual ones by name; undefined omits one, a list repeats it. */
export function handshake(headers: Headers = {}, requestLine = "GET /echo HTTP/1.1"): string {
  const all: Headers = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `${requestLine}\r\n${lines.join("")}\r\n`;
}

/** A TCP connection that buffers received bytes until they are read. */
export class RawSocket {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #isEnded = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      this.#wake();
    });
    const ended = (): void => {
      this.#isEnded = true;
      this.#wake();
    };
    // A reset is one way to end a connection; ended() handles all of them.
    socket.on("error", ended).on("end", ended).on("close", ended);
  }

  /** Sends bytes at once, or in pieces, each in a separate turn of the event loop. */
  async send(bytes: Uint8Array | string, pieceBytes = Number.POSITIVE_INFINITY): Promise<void> {
    const all = Buffer.from(bytes);
    for (let at = 0; at < all.length && !this.socket.destroyed; at += pieceBytes) {
      this.socket.write(all.subarray(at, at + pieceBytes));
      if (all.length > pieceBytes) {
        await nextTurn();
      }
    }
  }

  /** The next `bytes` bytes. Rejects if the connection ends before. */
  async read(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#buffered >= bytes, `${bytes} bytes`);
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = all.length > bytes ? [all.subarray(bytes)] : [];
    this.#buffered = all.length - bytes;
    return all.subarray(0, bytes);
  }

  /** The next frame. */
  async readFrame(): Promise<Frame> {
    const head = await this.read(2);
    const [first, second] = [head.readUInt8(0), head.readUInt8(1)];
    if ((second & 0x80) !== 0) {
      throw new Error("the server masked a frame");
    }
    let bytes = second & 0x7f;
    if (bytes === 126) {
      bytes = (await this.read(2)).readUInt16BE();
    } else if (bytes === 127) {
      bytes = Number((await this.read(8)).readBigUInt64BE());
    }
    const payload = await this.read(bytes);
    return { opcode: first & 15, payload, isFinal: (first & 0x80) !== 0, reserved: (first >> 4) & 7 };
  }

  /** The next HTTP response's status line and headers. */
  async readHead(): Promise<HttpHead> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) {
      text += (await this.read(1)).toString("latin1");
    }
    const [statusLine, ...lines] = text.trimEnd().split("\r\n");
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    return { status: Number(statusLine?.split(" ")[1]), headers: Object.fromEntries(headers) };
  }

  /** All bytes received before the server ended the connection in any way. */
  async ended(timeoutMs?: number): Promise<Buffer> {
    await this.#until(() => this.#isEnded, "the end of the connection", timeoutMs);
    return Buffer.concat(this.#chunks);
  }

  async #until(condition: () => boolean, what: string, timeoutMs?: number): Promise<void> {
    while (!condition()) {
      if (this.#isEnded) {
        throw new Error(`the connection ended while ${what} were awaited; ${this.#buffered} bytes are left`);
      }
      await inTime(new Promise<void>((resolve) => (this.#wake = resolve)), what, timeoutMs);
    }
  }
}

/** Connects without sending anything. */
export async function connectRaw(t: Cleanup, authority: string): Promise<RawSocket> {
  const { hostname, port } = new URL(`http://${authority}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return new RawSocket(socket);
}

/** Connects and completes the handshake. */
export async function openRaw(
  t: Cleanup,
  authority: string,
  headers: Headers = {},
): Promise<RawSocket & { readonly head: HttpHead }> {
  const raw = await connectRaw(t, authority);
  await raw.send(handshake(headers));
  const head = await raw.readHead();
  if (head.status !== 101) {
    throw new Error(`the handshake was answered with ${head.status}`);
  }
  return Object.assign(raw, { head });
}
