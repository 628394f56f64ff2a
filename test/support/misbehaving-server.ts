// A WebSocket server on bare sockets that misbehaves in one way that a test chooses, and echoes otherwise.
// It has its own frame parser, so that it cannot share a fault with the code under test.

import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Cleanup } from "./echo-server.ts";

export interface ClientMessage {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Messages on this connection before this one. */
  readonly index: number;
  /** Number of frames. */
  readonly frames: number;
  readonly socket: Socket;
}

export interface Misbehaviour {
  /** The response to the handshake; undefined sends none. `accept` is the correct Sec-WebSocket-Accept. */
  readonly handshake?: (accept: string, request: string, socket: Socket) => string | undefined;
  /** The reply to a message; undefined sends none. */
  readonly reply?: (message: ClientMessage) => Buffer | undefined;
  /** Sent right after the handshake. */
  readonly greeting?: Buffer;
  /** Called for a control frame of the client; `isWithin` an unfinished message. */
  readonly onControl?: (opcode: number, payload: Buffer, socket: Socket, isWithin: boolean) => void;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface MisbehavingServer {
  readonly url: string;
  readonly port: number;
  /** Cuts every connection and stops listening, like a killed process. */
  kill(): Promise<void>;
}

export interface FrameOptions {
  readonly final?: boolean;
  readonly reservedBits?: number;
  readonly masked?: boolean;
}

/** A server's frame, invalid if the options say so. */
export function frame(opcode: number, payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { final = true, reservedBits = 0, masked = false } = options;
  const bytes = Buffer.from(payload);
  const first = (final ? 0x80 : 0) | reservedBits | opcode;
  const bit = masked ? 0x80 : 0;
  const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
  if (bytes.length < 126) {
    return Buffer.concat([Buffer.from([first, bit | bytes.length]), mask, bytes]);
  }
  if (bytes.length < 65_536) {
    return Buffer.concat([
      Buffer.from([first, bit | 126, bytes.length >> 8, bytes.length & 0xff]),
      mask,
      bytes,
    ]);
  }
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = bit | 127;
  header.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([header, mask, bytes]);
}

/** The correct response to a handshake, with additional header lines. */
export function switchingProtocols(accept: string, ...lines: string[]): string {
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...lines,
    "",
    "",
  ].join("\r\n");
}

/** Starts one on a free port and stops it after the test. */
export async function startMisbehavingServer(
  t: Cleanup,
  misbehaviour: Misbehaviour = {},
): Promise<MisbehavingServer> {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    converse(socket, misbehaviour);
  };
  const { tls } = misbehaviour;
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) {
        socket.destroy();
      }
    });
  t.after(() => (server.listening ? kill() : undefined));
  return { url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${port}/echo`, port, kill };
}

function converse(socket: Socket, misbehaviour: Misbehaviour): void {
  const {
    handshake = (accept: string) => switchingProtocols(accept),
    reply = echo,
    greeting,
    onControl = answerControl,
  } = misbehaviour;
  let received = Buffer.alloc(0);
  let isOpen = false;
  let index = 0;
  let message: { opcode: number; parts: Buffer[] } | undefined;
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (!isOpen) {
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) {
        return;
      }
      const request = received.toString("latin1", 0, end);
      received = received.subarray(end + 4);
      const answer = handshake(acceptOf(request), request, socket);
      if (answer !== undefined && !socket.destroyed) {
        socket.write(answer);
      }
      if (greeting !== undefined) {
        socket.write(greeting);
      }
      isOpen = true;
    }
    for (let next = takeFrame(received); next !== undefined; next = takeFrame(received)) {
      received = received.subarray(next.bytes);
      if (next.opcode >= 8) {
        onControl(next.opcode, next.payload, socket, message !== undefined);
        continue;
      }
      message ??= { opcode: next.opcode, parts: [] };
      message.parts.push(next.payload);
      if (next.final) {
        const { opcode, parts } = message;
        const out = reply({ opcode, payload: Buffer.concat(parts), index, frames: parts.length, socket });
        message = undefined;
        index += 1;
        if (out !== undefined && socket.writable) {
          socket.write(out);
        }
      }
    }
  });
}

export function echo({ opcode, payload }: ClientMessage): Buffer {
  return frame(opcode, payload);
}

/** Answers close frames and pings. */
export function answerControl(opcode: number, payload: Buffer, socket: Socket): void {
  if (opcode === 8) {
    socket.end(frame(8, payload));
  } else if (opcode === 9) {
    socket.write(frame(10, payload));
  }
}

function acceptOf(request: string): string {
  const [, key = ""] = /^sec-websocket-key: *(\S+)/im.exec(request) ?? [];
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The first whole frame of a client, unmasked. */
function takeFrame(data: Buffer) {
  if (data.length < 2) {
    return undefined;
  }
  const form = (data[1] ?? 0) & 0x7f;
  const headerBytes = form < 126 ? 2 : form === 126 ? 4 : 10;
  if (data.length < headerBytes + 4) {
    return undefined;
  }
  const length = form < 126 ? form : form === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
  const bytes = headerBytes + 4 + length;
  if (data.length < bytes) {
    return undefined;
  }
  const mask = data.subarray(headerBytes, headerBytes + 4);
  const payload = Buffer.from(data.subarray(headerBytes + 4, bytes));
  for (let i = 0; i < length; i += 1) {
    payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  }
  return { final: ((data[0] ?? 0) & 0x80) !== 0, opcode: (data[0] ?? 0) & 0x0f, payload, bytes };
}
