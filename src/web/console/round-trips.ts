// Matches echoes to messages, and measures round-trip times. Pure: the caller passes the clock.
import type { MessageData } from "../websocket/payload.ts";

/** Outstanding messages of one connection. An echo server keeps their order, so an echo belongs to the oldest match. */
export interface RoundTrips {
  sent(data: MessageData, atMs: number): void;
  /** The round-trip time in ms, or undefined if the message is not an echo of an outstanding one. */
  received(data: MessageData, atMs: number): number | undefined;
  outstanding(): number;
  clear(): void;
}

const maxOutstanding = 10_000;

/** Messages older than a matched echo count as dropped by the server. */
export function createRoundTrips(): RoundTrips {
  let waiting: { readonly data: MessageData; readonly atMs: number }[] = [];
  return {
    sent(data, atMs) {
      if (waiting.length === maxOutstanding) {
        waiting.shift();
      }
      waiting.push({ data, atMs });
    },
    received(data, atMs) {
      const at = waiting.findIndex((message) => sameMessage(message.data, data));
      const match = waiting[at];
      if (match === undefined) {
        return undefined;
      }
      waiting = waiting.slice(at + 1);
      return atMs - match.atMs;
    },
    outstanding: () => waiting.length,
    clear() {
      waiting = [];
    },
  };
}

function sameMessage(left: MessageData, right: MessageData): boolean {
  if (typeof left === "string" || typeof right === "string") {
    return left === right;
  }
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
