// Defines the interface of a kind of traffic on a group of connections.

import type { Connection } from "../engine/connection.ts";
import type { Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";

export interface Traffic {
  /** A connection has opened, at any time. */
  add(connection: Connection): void;
  /** A connection is to end: nothing more is sent on it, and it is closed once nothing is in flight on it. */
  retire(connection: Connection): void;
  /** A connection has ended: its messages in flight are lost. `wasClosed`: by a close frame of the target. */
  remove(index: number, wasClosed: boolean): void;
  /** Begins at the start of the timeline. */
  start(startNs: number): void;
  /** Stops sending, but accepts replies; calls `onSettled` once none is missing, which may be at once. */
  stop(): void;
  /** Gives up all messages in flight. */
  abandon(): void;
  /** Gives up messages that have timed out. */
  sweep(nowNs: number): void;
  /** Some messages have timed out; their replies are late, not surplus. */
  readonly hasGivenUp: boolean;
  /** A step begins: measures how evenly messages leave, until `endStep`. */
  beginStep(fromNs: number): void;
  /** Variance over mean of the messages sent in equal spans; undefined without an even schedule. */
  endStep(untilNs: number): number | undefined;
  onReplies(connection: Connection, count: number): void;
  onBadReply(connection: Connection): void;
  onMissing(connection: Connection, count: number): void;
  /** A whole message; `content` is only valid during the call. */
  onMessage(connection: Connection, content: Uint8Array): void;
  onPong(connection: Connection, payload: Uint8Array): void;
}

/** The tools of every traffic. */
export interface TrafficTools {
  readonly clock: Clock;
  readonly calls: Calls;
  readonly ledger: Ledger;
  readonly thread: { readonly index: number; readonly count: number };
  /** Where in the interval of an even schedule this generator begins, 0 to 1. */
  readonly phase: number;
  /** Time without a reply after which a message is lost. */
  readonly timeoutMs: number;
  readonly random: () => number;
  readonly countError: (kind: string, detail: string, count?: number) => void;
  readonly onSettled: () => void;
}
