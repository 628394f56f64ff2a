// The time of the load generator, as an interface: tests run the whole pipeline on a virtual clock.

/** A monotonic clock with its timers. */
export interface Clock {
  /** Nanoseconds since an epoch that all threads of this process share. */
  nowNs(): number;
  /** Calls once after at least `delayMs`. Returns what cancels it. */
  callAfterMs(delayMs: number, callback: () => void): () => void;
  /** Calls once, after pending input and output had a turn: for spinning where timers are too coarse. */
  callSoon(callback: () => void): void;
}

/** A clock whose calls can be planned finer than a timer's whole milliseconds. */
export interface PreciseClock extends Clock {
  /** Calls once, at `atNs` or a little later; one call at a time. Returns what cancels it. */
  callAtNs(atNs: number, callback: () => void): () => void;
}

/** From this thread's own zero to the machine's, in nanoseconds. */
const zeroNs = Number(process.hrtime.bigint()) - performance.now() * 1e6;

/**
 * The machine's monotonic clock (CLOCK_MONOTONIC), on which threads of one process agree to a few microseconds.
 * Not process.hrtime(), which makes an array for each reading: garbage that an open loop's spinning piles up.
 */
export const systemClock: Clock = {
  nowNs() {
    return zeroNs + performance.now() * 1e6;
  },
  callAfterMs(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  callSoon(callback) {
    setImmediate(callback);
  },
};
