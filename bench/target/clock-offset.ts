// Measures the offset of the target's clock, from the moment at which the second of its HTTP Date header changes.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { type Route, routeOptions } from "../engine/route.ts";

const pollIntervalMs = 50;
/** A little more than a second. */
const longestMs = 1500;

export interface ClockOffset {
  /** The target's clock minus ours. */
  readonly offsetMs: number;
  /** The uncertainty: half of the span in which the second changed. */
  readonly errorMs: number;
}

/** @returns undefined if the target sends no Date header, or responds too slowly */
export async function measureClockOffset(url: string, route: Route = {}): Promise<ClockOffset | undefined> {
  const until = Date.now() + longestMs;
  let before: { dateMs: number; atMs: number } | undefined;
  while (Date.now() < until) {
    const askedMs = Date.now();
    const dateMs = await dateOf(url, route);
    const atMs = (askedMs + Date.now()) / 2;
    if (dateMs === undefined) {
      return undefined;
    }
    if (before !== undefined && dateMs === before.dateMs + 1000) {
      return { offsetMs: dateMs - (before.atMs + atMs) / 2, errorMs: (atMs - before.atMs) / 2 };
    }
    before = { dateMs, atMs };
    await sleep(pollIntervalMs);
  }
  return undefined;
}

/** The Date header of one response of any status. */
function dateOf(url: string, route: Route): Promise<number | undefined> {
  const target = new URL("/", url);
  const isSecure = /^(?:wss|https):$/.test(target.protocol);
  target.protocol = isSecure ? "https:" : "http:";
  return new Promise((resolve) => {
    const request = (isSecure ? requestHttps : requestHttp)(target, {
      method: "HEAD",
      agent: false,
      signal: AbortSignal.timeout(longestMs),
      ...routeOptions(route),
    });
    request.on("response", (response) => {
      response.resume();
      const dateMs = Date.parse(response.headers.date ?? "");
      resolve(Number.isNaN(dateMs) ? undefined : dateMs);
    });
    request.on("error", () => resolve(undefined));
    request.on("close", () => resolve(undefined));
    request.end();
  });
}
