// WebSocket clients for tests, on the ws package, and a raw one that can refuse to read.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ClientOptions, WebSocket } from "ws";
import type { Cleanup } from "./echo-server.ts";
import { inTime } from "./wait.ts";

export interface Received {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** A client that keeps what it receives. */
export interface Client {
  readonly ws: WebSocket;
  /** Resolves with the code and reason of the close event. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The next unread message. */
  next(): Promise<Received>;
  /** Number of unread messages. */
  pending(): number;
}

/** Connects and waits until the connection is open. */
export async function connectClient(
  t: Cleanup,
  url: string,
  { subprotocols = [], ...options }: ClientOptions & { subprotocols?: string[] } = {},
): Promise<Client> {
  const ws = new WebSocket(url, subprotocols, { perMessageDeflate: false, ...options });
  t.after(() => ws.terminate());
  const received: Received[] = [];
  const takers: ((message: Received) => void)[] = [];
  ws.on("message", (data: Buffer, isBinary: boolean) => {
    const taker = takers.shift();
    if (taker === undefined) {
      received.push({ data, isBinary });
    } else {
      taker({ data, isBinary });
    }
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await inTime(once(ws, "open"), `open ${url}`);
  ws.on("error", () => undefined);
  return {
    ws,
    closed,
    pending: () => received.length,
    next: () => {
      const first = received.shift();
      return inTime(
        first === undefined
          ? new Promise<Received>((resolve) => takers.push(resolve))
          : Promise.resolve(first),
        "a message",
      );
    },
  };
}

/** Tries to connect and returns the HTTP response to a refused handshake. */
export function refusedHandshake(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return inTime(
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url, options);
      ws.on("open", () => {
        ws.terminate();
        reject(new Error("the handshake was accepted"));
      });
      ws.on("error", reject);
      ws.on("unexpected-response", (_request, response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
    }),
    "an answer to the handshake",
  );
}

/** A client frame (RFC 6455, section 5.2) with the mask key 0, which leaves the payload unchanged. */
export function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const length = payload.length;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff])
        : Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0, ...uint32(length)]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A connection that completes the handshake and reads nothing until resumed. */
export async function connectSlowReader(t: Cleanup, url: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(
    `GET /echo HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(socket, "data");
  socket.pause();
  return socket;
}

/** Writes a frame `count` times as fast as possible, or until the socket is closed. */
export async function flood(socket: Socket, frame: Buffer, count: number): Promise<void> {
  for (let i = 0; i < count && !socket.destroyed; i++) {
    await new Promise<void>((resolve) => socket.write(frame, () => resolve()));
  }
}
