// What a kind of traffic has to do: the contract between a group of connections and what happens on them.

import type { Connection } from "../engine/connection.ts";
import type { Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";

export interface Traffic {
  /** A connection has opened, at any time. */
  add(connection: Connection): void;
  /** A connection is to end: nothing more is sent on it, and it is closed once nothing is in flight on it. */
  retire(connection: Connection): void;
  /** A connection is gone: what it had in flight is lost. `wasClosed`: by a close frame of the target. */
  remove(index: number, wasClosed: boolean): void;
  /** Begins at the start of the timeline. */
  start(startNs: number): void;
  /** Sends nothing from here on, but takes replies; calls `onSettled` when none is missing, which may be at once. */
  stop(): void;
  /** Gives up on everything in flight. */
  abandon(): void;
  /** Gives up what has waited for the time-out. */
  sweep(nowNs: number): void;
  /** Some messages had their time, or never will: what still comes is late, but not unasked. */
  readonly hasGivenUp: boolean;
  /** A step begins: measures how evenly messages leave, until `endStep`. */
  beginStep(fromNs: number): void;
  /** Variance over mean of the messages that left in equal spans; undefined without an even schedule. */
  endStep(untilNs: number): number | undefined;
  onReplies(connection: Connection, count: number): void;
  onBadReply(connection: Connection): void;
  onMissing(connection: Connection, count: number): void;
  /** A whole message; `content` is only valid during the call. */
  onMessage(connection: Connection, content: Uint8Array): void;
  onPong(connection: Connection, payload: Uint8Array): void;
}

/** What every traffic works with. */
export interface TrafficTools {
  readonly clock: Clock;
  readonly calls: Calls;
  readonly ledger: Ledger;
  readonly thread: { readonly index: number; readonly count: number };
  /** Where in the interval of an even schedule this generator begins, 0 to 1. */
  readonly phase: number;
  /** A message without a reply for so long is lost. */
  readonly timeoutMs: number;
  readonly random: () => number;
  readonly countError: (kind: string, detail: string, count?: number) => void;
  readonly onSettled: () => void;
}
