// Describes the traffic on the open connections of a group.

import type { HttpLoad } from "../engine/http-probe.ts";
import type { MessageType, Verify } from "../engine/payload.ts";
import type { Curve } from "./curve.ts";
import type { Arrivals } from "./population.ts";

/** The messages to send, and how to check the replies. */
export interface Messages {
  /** Sent in turn on each connection; one of weight 3 three times as often as one of weight 1. */
  readonly payloads: readonly Payload[];
  readonly type: MessageType;
  readonly verify: Verify;
}

export interface Payload {
  readonly content: Uint8Array;
  /** A whole number, at least 1. */
  readonly weight: number;
}

/**
 * A closed loop has `depth` messages in flight on each connection; an open one sends at a rate of the whole group.
 * once: one message on each connection, as soon as it is open.
 */
export type Loop =
  | { readonly kind: "once" }
  | { readonly kind: "closed"; readonly depth: number }
  | { readonly kind: "open"; readonly rate: Curve; readonly arrivals: Arrivals };

export type Traffic =
  /** Nothing. Messages that come are counted. */
  | { readonly kind: "idle" }
  /** Pings (RFC 6455 section 5.5.2), one per connection each `intervalMs`; works on every WebSocket server. */
  | { readonly kind: "ping"; readonly intervalMs: number }
  | Echo
  /** A slow reader: sends at `rate` as an open loop of echoes does, and reads `bytesPerSecond` per connection, 0 for nothing at all. */
  | {
      readonly kind: "read";
      readonly bytesPerSecond: number;
      readonly rate: Curve;
      readonly messages: Messages;
    }
  /** The target sends by itself; `onOpen` is sent once on each connection. */
  | { readonly kind: "listen"; readonly onOpen: readonly Uint8Array[]; readonly type: MessageType }
  | Fanout
  | Script
  | Http;

/** HTTP requests by autocannon in a closed loop, on a constant number of connections and in a thread of its own. */
export interface Http extends Omit<HttpLoad, "connections" | "timeoutMs"> {
  readonly kind: "http";
}

export interface Echo {
  readonly kind: "echo";
  readonly loop: Loop;
  readonly messages: Messages;
  /** fifo: replies come in order, and only their number is read. stamp: a reply names its message, in any order. */
  readonly match: "fifo" | "stamp";
  /**
   * A ping follows the messages that are sent together, whose pong shows that the target has read them. So a message
   * that a close frame crossed is told from one that the target had and did not answer.
   */
  readonly fence?: boolean;
}

/** Fan-out: other connections receive what one sends. Each message contains an id and its send time. */
export interface Fanout {
  readonly kind: "fanout";
  /** The first so many connections send, at `rate` all together. */
  readonly publishers: number;
  readonly rate: Curve;
  readonly arrivals: Arrivals;
  /** Who gets a message: all connections of the group, or all but its sender. */
  readonly receivers: "all" | "others";
  readonly payloadBytes: number;
  readonly type: MessageType;
}

/** Every connection repeats the steps. */
export interface Script {
  readonly kind: "script";
  readonly steps: readonly ScriptStep[];
  readonly type: MessageType;
}

export type ScriptStep =
  | { readonly kind: "send"; readonly content: Uint8Array }
  /** Waits for one message; with `contains`, for one that has these bytes. */
  | { readonly kind: "expect"; readonly contains: Uint8Array | null }
  /** A pause: fixed, or exponentially distributed around `ms`. */
  | { readonly kind: "think"; readonly ms: number; readonly isExponential: boolean }
  | { readonly kind: "repeat"; readonly times: number; readonly steps: readonly ScriptStep[] };
