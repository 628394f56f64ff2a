// Defines the state of a WebSocket connection.
import type { WebSocket } from "uWebSockets.js";

/** The tokens of a connection with rate limits. */
export interface Allowance {
  messages: number;
  bytes: number;
  /** When the tokens were last counted, in milliseconds of the server's clock. */
  at: number;
}

/** The state of a connection. */
export interface Connection {
  /** Client address; the empty string if nothing needs it. */
  readonly address: string;
  /** When it opened, in milliseconds of the server's clock. */
  readonly openedAt: number;
  /** The bufferedAmount that is counted in the total, in bytes. */
  buffered: number;
  /** Since when bytes have been buffered, in milliseconds; valid only while `buffered` is not 0. */
  pressuredAt: number;
  /** When bytes were last written, in milliseconds. */
  progressAt: number;
  /** Ends the connection at --max-lifetime. */
  lifetime: NodeJS.Timeout | undefined;
  /** The tokens of `--max-message-rate` and `--max-receive-rate`. */
  allowance: Allowance | undefined;
  /** Sends delayed echoes; endpoints on demand only. */
  readonly sendHeld?: () => void;
}

/** uWS copies each property to the socket, which costs more than the object: so it gets one. */
export interface SocketData {
  readonly connection: Connection;
}

export type EchoSocket = WebSocket<SocketData>;

export function connectionOf(ws: EchoSocket): Connection {
  return ws.getUserData().connection;
}
