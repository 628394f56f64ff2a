// When to try again after a lost connection: doubling waits with jitter, so that many pages do not return at once.

export interface Reconnect {
  /** Plans the next try; the answer is how long it waits, in ms. */
  plan(): number;
  /** A connection opened: the next wait is short again. */
  succeeded(): void;
  cancel(): void;
}

const firstWaitMs = 500;
const longestWaitMs = 10_000;

export function createReconnect(connect: () => void): Reconnect {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    plan() {
      const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** failures) * (0.75 + Math.random() / 4);
      failures += 1;
      clearTimeout(timer);
      timer = setTimeout(connect, wait);
      return wait;
    },
    succeeded() {
      failures = 0;
    },
    cancel() {
      failures = 0;
      clearTimeout(timer);
    },
  };
}
