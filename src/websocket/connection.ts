// The state that the server keeps per WebSocket connection.
import type { WebSocket } from "uWebSockets.js";

/** What a connection may still send within its rates: tokens that come back with time. */
export interface Allowance {
  messages: number;
  bytes: number;
  /** When the tokens were counted, in milliseconds of the server's clock. */
  at: number;
}

/** What the server keeps for each connection. uWS puts these properties on the socket itself. */
export interface Connection {
  /** Client address; the empty string when nothing asks for it. */
  readonly address: string;
  /** When it opened, in milliseconds of the server's clock. */
  readonly openedAt: number;
  /** The bufferedAmount that is counted in the total, in bytes. */
  buffered: number;
  /** Since when bytes have been waiting, in milliseconds; only has a meaning while `buffered` is not 0. */
  pressuredAt: number;
  /** When bytes last left, in milliseconds. */
  progressAt: number;
  /** Ends the connection at --max-lifetime. */
  lifetime: NodeJS.Timeout | undefined;
  /** What it may still send, with `--max-message-rate` or `--max-receive-rate`. */
  allowance: Allowance | undefined;
  /** Sends what an endpoint on demand still holds; such endpoints only. */
  readonly sendHeld?: () => void;
}

export type EchoSocket = WebSocket<Connection>;
