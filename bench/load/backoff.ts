// Computes delays before reconnects, and lifetimes of connections. Pure.

import type { Lifetime, Reconnect } from "../scenario/population.ts";

type Backoff = Extract<Reconnect, { kind: "backoff" }>;

/**
 * @param failures attempts in a row that have failed
 * @param random uniform in [0, 1)
 */
export function backoffMs(
  { baseMs, maxMs, jitter }: Backoff,
  failures: number,
  random: () => number,
): number {
  const wholeMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 52));
  return jitter === "full" ? random() * wholeMs : wholeMs;
}

/** The maximum of a timer. */
const longestMs = 2 ** 31 - 1;

export function lifetimeMs(lifetime: Lifetime, random: () => number): number {
  const ms = lifetime.kind === "fixed" ? lifetime.ms : -Math.log(1 - random()) * lifetime.meanMs;
  return Math.min(longestMs, ms);
}
