// The load generator's clock as an interface, so that tests run the whole pipeline on a virtual clock.

/** A monotonic clock with its timers. */
export interface Clock {
  /** Nanoseconds since an epoch that all threads of this process share. */
  nowNs(): number;
  /** Calls once after at least `delayMs`. Returns a function that cancels the call. */
  callAfterMs(delayMs: number, callback: () => void): () => void;
  /** Calls once, after pending input and output had a turn: for spinning where timers are too coarse. */
  callSoon(callback: () => void): void;
}

/** A clock whose calls can be planned finer than a timer's whole milliseconds. */
export interface PreciseClock extends Clock {
  /** Calls once, at `atNs` or a little later; one call at a time. Returns a function that cancels it. */
  callAtNs(atNs: number, callback: () => void): () => void;
}

const offsetReadings = 32;

/**
 * Offset of this thread's clock to the machine's, in nanoseconds: of several readings of both, the one that took least.
 * The first call of each takes most of a millisecond, and a thread may lose its CPU between two calls.
 */
function measureOffsetNs(): number {
  let [offsetNs, shortestMs] = [0, Number.POSITIVE_INFINITY];
  for (let reading = 0; reading < offsetReadings; reading++) {
    const beforeMs = performance.now();
    const machineNs = Number(process.hrtime.bigint());
    const afterMs = performance.now();
    if (afterMs - beforeMs < shortestMs) {
      shortestMs = afterMs - beforeMs;
      offsetNs = machineNs - ((beforeMs + afterMs) / 2) * 1e6;
    }
  }
  return offsetNs;
}

const zeroNs = measureOffsetNs();

/**
 * The machine's monotonic clock (CLOCK_MONOTONIC), on which threads of one process agree to a few microseconds.
 * Not process.hrtime(), which allocates an array for each reading: garbage that piles up while an open loop spins.
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
