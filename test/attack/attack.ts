// Defines an attack: its name, the options of its server, and helpers for raw sockets.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Boxed, BoxOptions } from "./box.ts";

export interface Attack extends BoxOptions {
  readonly name: string;
  /** Whether the neighbour's worker may end. */
  readonly mayStopNeighbour?: boolean;
  /** Attacks the server; throws if the server breaks a promise of its docs. */
  run(server: Boxed): Promise<void>;
}

export const miB = 1024 * 1024;
export const upgrade =
  "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
export const upload = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/** @param from the address of this side */
export async function dial(port: number, from = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from }).on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  return socket;
}

/** Writes pieces until all are written, the socket ends, or the timeout. */
export async function pour(socket: Socket, piece: Buffer, count: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let i = 0; i < count && !socket.destroyed && performance.now() < deadline; i++) {
    if (!socket.write(piece)) {
      await writable(socket, deadline - performance.now());
    }
  }
}

/** Resolves once the socket is writable, has ended, or at the timeout. */
function writable(socket: Socket, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.off("drain", done).off("close", done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    socket.once("drain", done).once("close", done);
  });
}

export async function withSockets(
  port: number,
  count: number,
  use: (socket: Socket, i: number) => Promise<void>,
) {
  const sockets = await Promise.all(Array.from({ length: count }, () => dial(port)));
  await Promise.all(sockets.map(use));
  for (const socket of sockets) {
    socket.destroy();
  }
}

export function chunk(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]);
}
