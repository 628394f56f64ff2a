// Which answers leave their connection open. uWS tells neither the connection of a request nor the address of one that
// ended: so what is limited is how many answers leave a connection open, and each of these ends after some 10 s of silence.
import type { HttpResponse } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { bump, type Stats, slot } from "../metrics/counters.ts";
import { clientGroup, trustNetworks } from "./client-address.ts";
import { peerAddress } from "./headers.ts";

/** A little longer than uWS leaves an HTTP connection open on which nothing moves, in milliseconds. */
const windowMs = 14_000;
/** Addresses that are counted in one window; those that come after are not kept alive. */
const maxAddresses = 50_000;

export type KeepAliveLimits = Pick<Config, "maxHttpConnections" | "maxHttpConnectionsPerIp" | "trustProxy">;

/** Whether an answer leaves its connection open. */
export type KeepsAlive = (res: HttpResponse) => boolean;

/** @param now milliseconds of a clock that never goes back */
export function createKeepAlive(limits: KeepAliveLimits, stats: Stats, now: () => number): KeepsAlive {
  const { maxHttpConnections, maxHttpConnectionsPerIp } = limits;
  const trusts = trustNetworks(limits.trustProxy);
  const grants = new SlidingCounts(windowMs, now);

  function isWithin(res: HttpResponse): boolean {
    const open = (stats[slot.sockets] ?? 0) - (stats[slot.connections] ?? 0);
    if (open > maxHttpConnections) {
      return false;
    }
    if (maxHttpConnectionsPerIp === 0) {
      return true;
    }
    const peer = peerAddress(res);
    // A proxy has the connections of many clients.
    return trusts(peer) || grants.add(clientGroup(peer), maxHttpConnectionsPerIp);
  }

  return (res) => {
    const isKept = isWithin(res);
    if (!isKept) {
      bump(stats, slot.httpKeepAliveRefused);
    }
    return isKept;
  };
}

/** Counts by key over the last one to two windows. */
export class SlidingCounts {
  readonly #windowMs: number;
  readonly #now: () => number;
  #startedAt: number;
  #current = new Map<string, number>();
  #before = new Map<string, number>();

  constructor(milliseconds: number, now: () => number) {
    this.#windowMs = milliseconds;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Counts one more unless that would be above `max`; says whether it did. */
  add(key: string, max: number): boolean {
    const age = this.#now() - this.#startedAt;
    if (age >= this.#windowMs) {
      this.#before = age < 2 * this.#windowMs ? this.#current : new Map();
      this.#current = new Map();
      this.#startedAt = this.#now();
    }
    const count = this.#current.get(key) ?? 0;
    if (count + (this.#before.get(key) ?? 0) >= max || (count === 0 && this.#current.size >= maxAddresses)) {
      return false;
    }
    this.#current.set(key, count + 1);
    return true;
  }
}
