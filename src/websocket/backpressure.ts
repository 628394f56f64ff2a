// The slow path of sending: what happens after send() says BUFFERED or DROPPED, and on drain. Owns every byte that
// waits for a slow reader; the hot path never comes here while send() says SENT.
import type { Config } from "../config/options.ts";
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
  [1000, "goodbye"],
  [1001, "going away"],
]);

/** All connections that have bytes waiting, and what becomes of them. */
export class Backpressure {
  readonly #limits: BackpressureLimits;
  readonly #stats: Stats;
  readonly #now: () => number;
  readonly #onTerminated: OnTerminated;
  readonly #pressured = new Set<EchoSocket>();
  readonly #timer: NodeJS.Timeout;
  #total = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: BackpressureLimits, stats: Stats, now: () => number, onTerminated: OnTerminated) {
    this.#limits = limits;
    this.#stats = stats;
    this.#now = now;
    this.#onTerminated = onTerminated;
    // send() may say SENT while it is corked and leave bytes behind afterwards, and a stalled reader causes no event.
    this.#timer = setInterval(() => this.#sweep(), sweepIntervalMs).unref();
  }

  /** send() said BUFFERED: not all of the message left. */
  buffered(ws: EchoSocket): void {
    const amount = ws.getBufferedAmount();
    bump(this.#stats, slot.sendsBuffered);
    observe(this.#stats, slot.bufferedAmount, slot.bufferedAmountSum, bufferedAmountBounds, amount);
    this.#account(ws, amount);
    this.#enforceTotal(ws);
  }

  /** uWS answered a ping by itself: the pongs of a client that does not read pile up like echoes do. */
  ponged(ws: EchoSocket): void {
    const amount = ws.getBufferedAmount();
    if (amount === 0) {
      return;
    }
    this.#account(ws, amount);
    this.#enforceTotal(ws);
  }

  /** send() said DROPPED: the buffer was over --max-backpressure already. */
  dropped(ws: EchoSocket, bytes: number, isBinary: boolean): void {
    bump(this.#stats, isBinary ? slot.binaryDropped : slot.textDropped);
    bump(this.#stats, isBinary ? slot.binaryDroppedBytes : slot.textDroppedBytes, bytes);
    if (this.#limits.onBackpressure === "close") {
      this.#terminate(ws, "backpressure");
    }
  }

  /** uWS could write again, and some bytes left. */
  drained(ws: EchoSocket): void {
    bump(this.#stats, slot.drains);
    ws.getUserData().progressAt = this.#now();
    this.#reread(ws);
  }

  /** Ends a connection with a close frame that follows its last echo. */
  closeGracefully(ws: EchoSocket, code: 1000 | 1001, reason: TerminationReason): void {
    const connection = ws.getUserData();
    if (connection.closeAfterDrain > 0) {
      return;
    }
    connection.closeAfterDrain = code;
    countTermination(this.#stats, reason);
    this.#reread(ws);
  }

  /** The connection has closed, and its buffer is free. */
  forget(ws: EchoSocket): void {
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
    this.#total += amount - connection.buffered;
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
    this.#stats[slot.bufferedBytes] = this.#total;
    this.#stats[slot.backpressuredConnections] = this.#pressured.size;
  }

  #enforceTotal(ws: EchoSocket): void {
    while (this.#total > this.#limits.maxBuffered) {
      this.#terminate(this.#slowest() ?? ws, "buffer_cap");
    }
  }

  #reread(ws: EchoSocket): void {
    const connection = ws.getUserData();
    const amount = ws.getBufferedAmount();
    if (amount < connection.buffered) {
      connection.progressAt = this.#now();
    }
    this.#account(ws, amount);
    const code = connection.closeAfterDrain;
    // end() cannot deliver its close frame over a full buffer.
    if (code > 0 && amount === 0) {
      ws.end(code, closeReasons.get(code) ?? "");
    }
  }

  #sweep(): void {
    const { stallTimeout } = this.#limits;
    for (const ws of this.#pressured) {
      this.#reread(ws);
      const { buffered, progressAt } = ws.getUserData();
      if (buffered > 0 && stallTimeout > 0 && this.#now() - progressAt >= stallTimeout) {
        this.#terminate(ws, "stalled");
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

  // A hard close: a graceful one would wait behind the very bytes that do not move.
  #terminate(ws: EchoSocket, reason: TerminationReason): void {
    countTermination(this.#stats, reason);
    this.#onTerminated(ws, reason, ws.getBufferedAmount());
    ws.close();
  }
}
