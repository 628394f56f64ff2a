// The slow path of sending: runs after send() returns BUFFERED or DROPPED, and on drain. Accounts for every byte that
// waits for a slow reader. The hot path skips it while send() returns SENT.
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
import type { EchoSocket } from "./connection.ts";

export type BackpressureLimits = Pick<Config, "maxBuffered" | "stallTimeout" | "onBackpressure">;

/** Reports a connection that the server ended because of a slow reader. */
export type OnTerminated = (ws: EchoSocket, reason: TerminationReason, bufferedBytes: number) => void;

/** How often connections under pressure are read again, in milliseconds. */
const sweepIntervalMs = 250;
const closeReasons = new Map([
  [1001, "going away"],
  [1008, "too fast"],
]);

/** All connections that have bytes waiting, and what becomes of them. */
export class Backpressure {
  readonly #limits: BackpressureLimits;
  readonly #stats: Stats;
  readonly #now: () => number;
  readonly #onTerminated: OnTerminated;
  readonly #pressured = new Set<EchoSocket>();
  readonly #timer: NodeJS.Timeout;
  /** Connections that get a close frame once all echoes are out. */
  readonly #leaving = new Map<EchoSocket, { readonly code: number; readonly text: string }>();
  #sweptAt: number;
  /** Every byte that waits; what is held elsewhere for slow readers is counted here as well. */
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
      largest: () => this.#slowest()?.getUserData().buffered ?? 0,
      dropLargest: () => this.#dropSlowest(),
    });
    // send() may say SENT while it is corked and leave bytes behind afterwards, and a stalled reader causes no event.
    this.#timer = setInterval(() => this.#sweep(), sweepIntervalMs).unref();
  }

  /**
   * send() said BUFFERED: not all of the message left.
   * @param addedBytes what the message added at least: its frame, or less where it was compressed
   */
  buffered(ws: EchoSocket, addedBytes: number): void {
    const amount = ws.getBufferedAmount();
    this.#noteProgress(ws, amount - addedBytes);
    bump(this.#stats, slot.sendsBuffered);
    observe(this.#stats, slot.bufferedAmount, slot.bufferedAmountSum, bufferedAmountBounds, amount);
    this.#account(ws, amount);
    this.budget.enforce();
  }

  /** uWS answered a ping by itself: the pongs of a client that does not read pile up like echoes do. */
  ponged(ws: EchoSocket, payloadBytes: number): void {
    this.added(ws, frameBytes(payloadBytes));
  }

  /** Something that is no echo may wait: a pong, a ping, a message that an endpoint sends by itself. */
  added(ws: EchoSocket, addedBytes: number): void {
    const amount = ws.getBufferedAmount();
    if (amount === 0) {
      return;
    }
    this.#noteProgress(ws, amount - addedBytes);
    this.#account(ws, amount);
    this.budget.enforce();
  }

  /** send() said DROPPED: the buffer was over --max-backpressure already. */
  dropped(ws: EchoSocket, bytes: number, isBinary: boolean): void {
    bump(this.#stats, isBinary ? slot.binaryDropped : slot.textDropped);
    bump(this.#stats, isBinary ? slot.binaryDroppedBytes : slot.textDroppedBytes, bytes);
    this.refused(ws);
  }

  /** A message that is no echo was dropped, because the buffer was over --max-backpressure already. */
  refused(ws: EchoSocket): void {
    if (this.#limits.onBackpressure === "close") {
      this.terminate(ws, "backpressure");
    }
  }

  /** uWS could write again, and some bytes left. */
  drained(ws: EchoSocket): void {
    bump(this.#stats, slot.drains);
    ws.getUserData().progressAt = this.#now();
    this.#reread(ws);
  }

  /**
   * Ends a connection with a close frame that follows its last echo. From now on its messages are ignored, or the
   * backlog of a client that keeps sending would never run out.
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
    ws.getUserData().sendHeld?.();
    // Sending what was held may have ended the connection.
    if (this.#leaving.has(ws)) {
      this.#reread(ws);
    }
  }

  /** Whether a connection only waits for its close frame. Nearly free while none does: it is asked for each message. */
  isLeaving(ws: EchoSocket): boolean {
    return this.#leaving.size > 0 && this.#leaving.has(ws);
  }

  /** The connection has closed, and its buffer is free. */
  forget(ws: EchoSocket): void {
    this.#leaving.delete(ws);
    this.#account(ws, 0);
  }

  /** Ends the periodic look at connections under backpressure. */
  stop(): void {
    clearInterval(this.#timer);
  }

  // Brings the total up to date with one socket: exact, because only differences are added.
  #account(ws: EchoSocket, amount: number): void {
    const connection = ws.getUserData();
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
    // end() cannot deliver its close frame over a full buffer.
    const closing = amount === 0 ? this.#leaving.get(ws) : undefined;
    if (closing !== undefined) {
      ws.end(closing.code, closing.text);
    }
  }

  // While messages keep coming, uWS writes the backlog from send() and no drain event comes.
  #noteProgress(ws: EchoSocket, amountBefore: number): void {
    const connection = ws.getUserData();
    if (amountBefore < connection.buffered) {
      connection.progressAt = this.#now();
    }
  }

  #sweep(): void {
    const { stallTimeout } = this.#limits;
    const at = this.#now();
    // A process that was stopped or busy has not given its readers a chance: that time does not count against them.
    const lostMs = at - this.#sweptAt - sweepIntervalMs;
    this.#sweptAt = at;
    for (const ws of this.#pressured) {
      if (lostMs >= sweepIntervalMs) {
        const connection = ws.getUserData();
        connection.progressAt = Math.min(at, connection.progressAt + lostMs);
      }
      this.#reread(ws);
      // A graceful close has ended, if it was due.
      if (stallTimeout > 0 && this.#pressured.has(ws) && at - ws.getUserData().progressAt >= stallTimeout) {
        this.terminate(ws, "stalled");
      }
    }
  }

  #slowest(): EchoSocket | undefined {
    let slowest: EchoSocket | undefined;
    for (const ws of this.#pressured) {
      if (slowest === undefined || ws.getUserData().buffered > slowest.getUserData().buffered) {
        slowest = ws;
      }
    }
    return slowest;
  }

  /** A hard close: a graceful one would wait behind the very bytes that do not move. */
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

/** What a compressed message adds at least, in bytes: deflate cannot do better than 1032 to 1. */
export function leastCompressedBytes(payloadBytes: number): number {
  return 2 + Math.floor(payloadBytes / 1032);
}
