// Describes attempts to connect: how long each took, and why it ended. Pure: the caller passes the clock.
import { formatElapsed } from "../../lib/format.ts";
import { type CloseFacts, describeClose } from "../websocket/close-codes.ts";
import { createReconnect } from "./reconnect.ts";

export interface Attempts {
  started(): void;
  /** The handshake is complete: `in 12 ms`. */
  opened(): string;
  sent(bytes: number): void;
  /**
   * Describes why the attempt or the connection ended. A failure like the previous one is one line.
   * @param tryAgain plan another attempt
   */
  ended(facts: CloseFacts, maxPayload: number | undefined, tryAgain: boolean): string;
  /** Whether attempts have failed since the last connection. */
  areFailing(): boolean;
  /** When the next attempt starts, in ms of performance.now(); undefined when none is planned. */
  plannedAtMs(): number | undefined;
  /** Cancels the planned attempt. */
  cancel(): void;
}

/** @param connect called for a planned attempt */
export function createAttempts(now: () => number, connect: () => void): Attempts {
  const reconnect = createReconnect(connect);
  let startedAtMs = 0;
  let largestSentBytes = 0;
  let failures = 0;
  return {
    started() {
      startedAtMs = now();
      largestSentBytes = 0;
    },
    opened() {
      failures = 0;
      reconnect.succeeded();
      return `in ${formatElapsed(now() - startedAtMs)}`;
    },
    sent(bytes) {
      largestSentBytes = Math.max(largestSentBytes, bytes);
    },
    ended(facts, maxPayload, tryAgain) {
      const isRepeated = !facts.opened && failures > 0;
      failures = facts.opened ? 0 : failures + 1;
      const why = isRepeated
        ? `Attempt ${failures} failed like the one before.`
        : describeClose(facts, largestSentBytes, maxPayload);
      return tryAgain ? `${why} Trying again in ${formatElapsed(reconnect.plan())}.` : why;
    },
    areFailing: () => failures > 0,
    plannedAtMs: reconnect.plannedAtMs,
    cancel() {
      failures = 0;
      reconnect.cancel();
    },
  };
}
