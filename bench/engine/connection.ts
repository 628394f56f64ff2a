// Defines the interface between an engine, which moves bytes, and the client, which measures.

import type { FirstMessage } from "./first-exchange.ts";
import type { MessageType, Verify } from "./payload.ts";
import type { Route } from "./route.ts";
import type { TemplateLines } from "./template.ts";

/** The engines: pre-built frames on bare sockets, or the ws package. */
export type EngineName = "raw" | "ws";

/** The target and options of a connection; plain data, which can be passed between threads. */
export interface Endpoint extends Route {
  /** ws: or wss: */
  readonly url: string;
  /** Set when the URL, a header or the first message has placeholders, see engine/template. */
  readonly templateLines?: TemplateLines | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocols: readonly string[];
  /** Sent on each connection before it counts as open. */
  readonly firstMessage?: FirstMessage | undefined;
  readonly origin: string | undefined;
  /** Offer permessage-deflate. */
  readonly deflate: boolean;
  /** For connecting, the handshake and the first exchange together. */
  readonly timeoutMs: number;
  readonly payloads: readonly Uint8Array[];
  readonly type: MessageType;
  readonly verify: Verify;
  /** Maximum read rate, 0 to read nothing; undefined for no limit. */
  readonly readBytesPerSecond?: number | undefined;
  /** What comes is passed on with its content, and held against nothing; otherwise it is counted as replies. */
  readonly passesContent?: boolean | undefined;
}

/** Why a connection ended or failed to open. */
export interface Ending {
  /** Error kind for the Result, such as `unreachable` or `closed-1001`. */
  readonly kind: string;
  /** A sentence for people, with the target's reason. */
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
  /** The target has accepted permessage-deflate. */
  readonly isCompressed: boolean;
  /** Sends messages `sequence` to `sequence + count - 1`, numbered per connection from 0. */
  send(sequence: number, count: number): void;
  /** Sends one message of the endpoint's type with this content, besides the numbered ones. */
  sendContent(content: Uint8Array): void;
  /** Sends a ping with this payload, at most 125 bytes. */
  ping(payload: Uint8Array): void;
  /** Whether so many bytes are unwritten that further messages should wait. */
  isClogged(): boolean;
  /** Bytes on the socket so far, in both directions; over TLS, those inside it. */
  wireBytes(): WireBytes;
  /** Closes with 1000, and terminates the connection if the target does not reply in time. */
  close(): void;
  /** Terminates the connection at once. */
  destroy(): void;
}

/** The events of an engine. `onClosed` is the last event of a connection, and the only guaranteed one. */
export interface ConnectionEvents {
  /** TCP or TLS has connected; `onOpen` follows after the handshake. */
  onStage(index: number, stage: "connected" | "secured"): void;
  onOpen(connection: Connection): void;
  /** `count` acceptable replies in a row. One call for all that a read brought, wherever possible. */
  onReplies(connection: Connection, count: number): void;
  /** One reply that failed its check. */
  onBadReply(connection: Connection, kind: string, detail: string): void;
  /** A reply that answers no message: it was not requested, or is a duplicate. */
  onUnasked(connection: Connection, kind: string, detail: string): void;
  /** The replies to the `count` oldest messages are missing: a later message was answered. */
  onMissing(connection: Connection, count: number): void;
  /** A whole message, where the endpoint passes content; `content` is only valid during the call. */
  onMessage(connection: Connection, content: Uint8Array): void;
  onPong(connection: Connection, payload: Uint8Array): void;
  /** The target has sent a close frame, after which no reply comes and nothing is to be sent; `onClosed` follows. */
  onEnding(connection: Connection): void;
  onClosed(index: number, ending: Ending): void;
}

/** Opens one connection, from `localAddress` if given. Never throws: failures arrive as `onClosed`. */
export type Engine = (index: number, localAddress: string | undefined, events: ConnectionEvents) => void;
