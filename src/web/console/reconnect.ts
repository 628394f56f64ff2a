// Schedules reconnects with doubling delays and jitter, so that many pages do not reconnect at once.

export interface Reconnect {
  /** Plans the next attempt; returns the delay in ms. */
  plan(): number;
  /** Resets the delay after a connection has opened. */
  succeeded(): void;
  /** When the next attempt starts, in ms of performance.now(); undefined when none is planned. */
  plannedAtMs(): number | undefined;
  cancel(): void;
}

const firstWaitMs = 500;
const longestWaitMs = 10_000;

export function createReconnect(connect: () => void): Reconnect {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let plannedAtMs: number | undefined;
  return {
    plan() {
      const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** failures) * (0.75 + Math.random() / 4);
      failures += 1;
      clearTimeout(timer);
      plannedAtMs = performance.now() + wait;
      timer = setTimeout(() => {
        plannedAtMs = undefined;
        connect();
      }, wait);
      return wait;
    },
    succeeded() {
      failures = 0;
    },
    plannedAtMs: () => plannedAtMs,
    cancel() {
      failures = 0;
      plannedAtMs = undefined;
      clearTimeout(timer);
    },
  };
}
