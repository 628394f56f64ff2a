// Owns time as the load generator sees it, so that tests can run the whole pipeline on a clock of their own.
// Must not know what is being timed.

/** A monotonic clock with its timers. */
export interface Clock {
  /** Nanoseconds since an epoch that all threads of this process share. */
  nowNs(): number;
  /** Calls once after at least `delayMs`. Returns what cancels it. */
  callAfterMs(delayMs: number, callback: () => void): () => void;
  /** Calls once, after pending input and output had a turn: for spinning where timers are too coarse. */
  callSoon(callback: () => void): void;
}

/**
 * The machine's monotonic clock (CLOCK_MONOTONIC, so threads of one process agree).
 * A double holds nanoseconds exactly up to 104 days of uptime, and to 2 ns up to 208.
 */
export const systemClock: Clock = {
  nowNs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e9 + nanoseconds;
  },
  callAfterMs(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  callSoon(callback) {
    setImmediate(callback);
  },
};
