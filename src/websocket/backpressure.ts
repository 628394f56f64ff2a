// The slow path of sending: runs after send() returns BUFFERED or DROPPED, and on drain. Counts every byte that is
// buffered for a slow reader.
import type { Config } from "../config/options.ts";
import { BufferBudget } from "../lib/buffer-budget.ts";
import {
  backpressureDurationBounds,
  bufferedAmountBounds,
  bump,
  countTermination,
  observe,
  type Stats,
  slot,
  type TerminationReason,
} from "../metrics/counters.ts";
import { connectionOf, type EchoSocket } from "./connection.ts";

export type BackpressureLimits = Pick<Config, "maxBuffered" | "stallTimeout" | "onBackpressure">;

/** Called for a connection that the server ended because of a slow reader. */
export type OnTerminated = (ws: EchoSocket, reason: TerminationReason, bufferedBytes: number) => void;

/** Interval at which the buffers of slow readers are read, in milliseconds. */
const sweepIntervalMs = 250;
const closeReasons = new Map([
  [1001, "going away"],
  [1008, "too fast"],
]);

/** Tracks all connections with bytes buffered, and closes those over a limit. */
export class Backpressure {
  readonly #limits: BackpressureLimits;
  readonly #stats: Stats;
  readonly #now: () => number;
  readonly #onTerminated: OnTerminated;
  readonly #pressured = new Set<EchoSocket>();
  readonly #timer: NodeJS.Timeout;
  /** Connections that get a close frame once all echoes are sent. */
  readonly #leaving = new Map<EchoSocket, { readonly code: number; readonly text: string }>();
  #sweptAt: number;
  /** Every buffered byte, including those buffered elsewhere for slow readers. */
  readonly budget: BufferBudget;

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: BackpressureLimits, stats: Stats, now: () => number, onTerminated: OnTerminated) {
    this.#limits = limits;
    this.#stats = stats;
    this.#now = now;
    this.#onTerminated = onTerminated;
    this.#sweptAt = now();
    this.budget = new BufferBudget(limits.maxBuffered, (totalBytes) => {
      stats[slot.bufferedBytes] = totalBytes;
    });
    this.budget.join({
      largest: () => {
        const slowest = this.#slowest();
        return slowest === undefined ? 0 : connectionOf(slowest).buffered;
      },
      dropLargest: () => this.#dropSlowest(),
    });
    // A corked send() may return SENT and leave bytes behind afterwards, and a stalled reader causes no event.
    this.#timer = setInterval(() => this.#sweep(), sweepIntervalMs).unref();
  }

  /**
   * send() returned BUFFERED: not all of the message was written.
   * @param addedBytes the least bytes that the message added: its frame, or less if it was compressed
   */
  buffered(ws: EchoSocket, addedBytes: number): void {
    const amount = ws.getBufferedAmount();
    this.#noteProgress(ws, amount - addedBytes);
    bump(this.#stats, slot.sendsBuffered);
    observe(this.#stats, slot.bufferedAmount, slot.bufferedAmountSum, bufferedAmountBounds, amount);
    this.#account(ws, amount);
    this.budget.enforce();
  }

  /** uWS has sent a pong: the pongs of a client that does not read pile up like echoes. */
  ponged(ws: EchoSocket, payloadBytes: number): void {
    this.added(ws, frameBytes(payloadBytes));
  }

  /** A pong, a ping or a message that is not an echo may be buffered. */
  added(ws: EchoSocket, addedBytes: number): void {
    const amount = ws.getBufferedAmount();
    if (amount === 0) {
      return;
    }
    this.#noteProgress(ws, amount - addedBytes);
    this.#account(ws, amount);
    this.budget.enforce();
  }

  /** send() returned DROPPED: the buffer was already over --max-backpressure. */
  dropped(ws: EchoSocket, bytes: number, isBinary: boolean): void {
    bump(this.#stats, isBinary ? slot.binaryDropped : slot.textDropped);
    bump(this.#stats, isBinary ? slot.binaryDroppedBytes : slot.textDroppedBytes, bytes);
    this.refused(ws);
  }

  /** A message that is not an echo was dropped, because the buffer was already over --max-backpressure. */
  refused(ws: EchoSocket): void {
    if (this.#limits.onBackpressure === "close") {
      this.terminate(ws, "backpressure");
    }
  }

  /** uWS has written buffered bytes. */
  drained(ws: EchoSocket): void {
    bump(this.#stats, slot.drains);
    connectionOf(ws).progressAt = this.#now();
    this.#reread(ws);
  }

  /**
   * Ends a connection with a close frame after its last echo. Its further messages are ignored, because the backlog of a
   * client that keeps sending would never become empty.
   */
  closeGracefully(
    ws: EchoSocket,
    code: number,
    reason: TerminationReason,
    text = closeReasons.get(code) ?? "",
  ): void {
    if (this.#leaving.has(ws)) {
      return;
    }
    this.#leaving.set(ws, { code, text });
    countTermination(this.#stats, reason);
    connectionOf(ws).sendHeld?.();
    // Sending the delayed echoes may have ended the connection.
    if (this.#leaving.has(ws)) {
      this.#reread(ws);
    }
  }

  /** Whether a connection is being closed. Called for each message, so it costs next to nothing while none is. */
  isLeaving(ws: EchoSocket): boolean {
    return this.#leaving.size > 0 && this.#leaving.has(ws);
  }

  /** The connection has closed and its buffer is freed. */
  forget(ws: EchoSocket): void {
    this.#leaving.delete(ws);
    if (connectionOf(ws).buffered > 0) {
      this.#account(ws, 0);
    }
  }

  /** Stops the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  // Updates the total by the change of one socket, which keeps it exact.
  #account(ws: EchoSocket, amount: number): void {
    const connection = connectionOf(ws);
    const wasPressured = connection.buffered > 0;
    const addedBytes = amount - connection.buffered;
    connection.buffered = amount;
    if (amount > 0 && !wasPressured) {
      connection.pressuredAt = this.#now();
      connection.progressAt = connection.pressuredAt;
      this.#pressured.add(ws);
    } else if (amount === 0 && wasPressured) {
      const seconds = (this.#now() - connection.pressuredAt) / 1000;
      observe(
        this.#stats,
        slot.backpressureDuration,
        slot.backpressureDurationSum,
        backpressureDurationBounds,
        seconds,
      );
      this.#pressured.delete(ws);
    }
    this.budget.add(addedBytes);
    this.#stats[slot.backpressuredConnections] = this.#pressured.size;
  }

  #dropSlowest(): void {
    const slowest = this.#slowest();
    if (slowest !== undefined) {
      this.terminate(slowest, "buffer_cap");
    }
  }

  #reread(ws: EchoSocket): void {
    const amount = ws.getBufferedAmount();
    this.#noteProgress(ws, amount);
    this.#account(ws, amount);
    // end() cannot deliver its close frame behind a full buffer.
    const closing = amount === 0 ? this.#leaving.get(ws) : undefined;
    if (closing !== undefined) {
      // As bytes: the binaries for Node 22 and later send some strings as Latin-1.
      ws.end(closing.code, Buffer.from(closing.text));
    }
  }

  // While messages keep arriving, uWS writes the backlog from send(), and no drain event follows.
  #noteProgress(ws: EchoSocket, amountBefore: number): void {
    const connection = connectionOf(ws);
    if (amountBefore < connection.buffered) {
      connection.progressAt = this.#now();
    }
  }

  #sweep(): void {
    const { stallTimeout } = this.#limits;
    const at = this.#now();
    // Time in which this process was suspended or busy does not count against readers.
    const lostMs = at - this.#sweptAt - sweepIntervalMs;
    this.#sweptAt = at;
    for (const ws of this.#pressured) {
      if (lostMs >= sweepIntervalMs) {
        const connection = connectionOf(ws);
        connection.progressAt = Math.min(at, connection.progressAt + lostMs);
      }
      this.#reread(ws);
      // #reread() may have completed a graceful close.
      if (stallTimeout > 0 && this.#pressured.has(ws) && at - connectionOf(ws).progressAt >= stallTimeout) {
        this.terminate(ws, "stalled");
      }
    }
  }

  #slowest(): EchoSocket | undefined {
    let slowest: EchoSocket | undefined;
    for (const ws of this.#pressured) {
      if (slowest === undefined || connectionOf(ws).buffered > connectionOf(slowest).buffered) {
        slowest = ws;
      }
    }
    return slowest;
  }

  /** Closes without a close frame, which would wait behind the bytes that are stuck. */
  terminate(ws: EchoSocket, reason: TerminationReason): void {
    countTermination(this.#stats, reason);
    this.#onTerminated(ws, reason, ws.getBufferedAmount());
    ws.close();
  }
}

/** Size of a frame that the server sends, in bytes (RFC 6455, section 5.2). */
export function frameBytes(payloadBytes: number): number {
  return payloadBytes + (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10);
}

/** The least bytes that a compressed message adds: deflate compresses 1032 to 1 at best. */
export function leastCompressedBytes(payloadBytes: number): number {
  return 2 + Math.floor(payloadBytes / 1032);
}
