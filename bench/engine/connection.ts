// The contract between an engine, which moves bytes, and the client, which measures.

import type { MessageType, Verify } from "./payload.ts";
import type { Route } from "./route.ts";
import type { TemplateLines } from "./template.ts";

/** What opens the connections: pre-built frames on bare sockets, or the ws package. */
export type EngineName = "raw" | "ws";

/** Everything an engine needs to open one connection; plain data, so that it can cross threads. */
export interface Endpoint extends Route {
  /** ws: or wss: */
  readonly url: string;
  /** Set when the URL or a header has placeholders, see engine/template. */
  readonly templateLines?: TemplateLines | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocols: readonly string[];
  readonly origin: string | undefined;
  /** Offer permessage-deflate; only the `ws` engine can. */
  readonly deflate: boolean;
  /** For connecting and for the handshake together. */
  readonly timeoutMs: number;
  readonly payloads: readonly Uint8Array[];
  readonly type: MessageType;
  readonly verify: Verify;
  /** Reads no more than this, 0 for nothing at all; undefined to read all that comes. */
  readonly readBytesPerSecond?: number | undefined;
  /** What comes is passed on with its content, and held against nothing; otherwise it is counted as replies. */
  readonly passesContent?: boolean | undefined;
}

/** Why a connection ended, or never opened. */
export interface Ending {
  /** Error kind for the Result, such as `unreachable` or `closed-1001`. */
  readonly kind: string;
  /** A sentence for people, with what the other side said. */
  readonly detail: string;
  /** HTTP status of a refusal. */
  readonly status?: number | undefined;
  /** How long a refusal asks to wait before the next attempt (Retry-After). */
  readonly retryAfterMs?: number | undefined;
}

export interface WireBytes {
  readonly sent: number;
  readonly received: number;
}

/** One connection of an engine. */
export interface Connection {
  /** Chosen by the caller, from 0. */
  readonly index: number;
  /** The target has agreed to permessage-deflate. */
  readonly isCompressed: boolean;
  /** Sends messages `sequence` to `sequence + count - 1`, numbered per connection from 0. */
  send(sequence: number, count: number): void;
  /** Sends a ping with this payload, at most 125 bytes. */
  ping(payload: Uint8Array): void;
  /** So much is waiting to be written that more should wait too. */
  isClogged(): boolean;
  /** Bytes on the socket so far, in both directions; over TLS, those inside it. */
  wireBytes(): WireBytes;
  /** Says goodbye with 1000, and cuts when that is not answered soon. */
  close(): void;
  /** Cuts at once. */
  destroy(): void;
}

/** What an engine tells. Of one connection, `onClosed` is the last event, and the only one sure to come. */
export interface ConnectionEvents {
  /** TCP has connected, or TLS is up; `onOpen` follows when the handshake is done. */
  onStage(index: number, stage: "connected" | "secured"): void;
  onOpen(connection: Connection): void;
  /** `count` acceptable replies in a row. One call for all that a read brought, wherever possible. */
  onReplies(connection: Connection, count: number): void;
  /** One reply that failed its check. */
  onBadReply(connection: Connection, kind: string, detail: string): void;
  /** A message that answers none: it came unasked, or again. Takes no message's place. */
  onUnasked(connection: Connection, kind: string, detail: string): void;
  /** The replies to the `count` oldest messages are missing: a later message was answered. */
  onMissing(connection: Connection, count: number): void;
  /** A whole message, where the endpoint passes content; `content` is only valid during the call. */
  onMessage(connection: Connection, content: Uint8Array): void;
  onPong(connection: Connection, payload: Uint8Array): void;
  onClosed(index: number, ending: Ending): void;
}

/** Opens one connection, from `localAddress` if given. Never throws: failures arrive as `onClosed`. */
export type Engine = (index: number, localAddress: string | undefined, events: ConnectionEvents) => void;
