// Waits for conditions in tests.
import { setTimeout as sleep } from "node:timers/promises";

/** Polls until the condition holds; fails with `what` at the timeout. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    }
    await sleep(10);
  }
}

/** Resolves with the promise, or fails with `what` at the timeout. */
export async function inTime<T>(promise: Promise<T>, what: string, timeoutMs = 30_000): Promise<T> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for: ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
