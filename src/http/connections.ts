// Limits HTTP connections and the requests on each. uWS reports neither the connection of a request nor the address of a
// closed connection, so limits are on responses that leave their connection open; an idle connection ends after some 10 s.
import type { HttpResponse } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { bump, type Stats, slot } from "../metrics/counters.ts";
import { clientGroup, type TrustsAddress, trustNetworks } from "./client-address.ts";
import { peerAddress } from "./headers.ts";
import { relayedPeer } from "./relayed-peer.ts";

/** A little longer than uWS keeps an idle HTTP connection open, in milliseconds. */
const windowMs = 14_000;
/** Addresses counted in one window; connections of further addresses are not kept alive. */
const maxAddresses = 50_000;

export type KeepAliveLimits = Pick<
  Config,
  "maxHttpConnections" | "maxHttpConnectionsPerIp" | "maxKeepAliveRequests" | "trustProxy"
>;

/** Whether an answer leaves its connection open. */
export type KeepsAlive = (res: HttpResponse) => boolean;

export class HttpConnections {
  readonly #limits: KeepAliveLimits;
  readonly #stats: Stats;
  readonly #trusts: TrustsAddress;
  readonly #kept: SlidingCounts;
  readonly #accepted: SlidingCounts;

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: KeepAliveLimits, stats: Stats, now: () => number) {
    this.#limits = limits;
    this.#stats = stats;
    this.#trusts = trustNetworks(limits.trustProxy);
    this.#kept = new SlidingCounts(windowMs, now);
    this.#accepted = new SlidingCounts(windowMs, now);
  }

  /** Whether an answer leaves its connection open. */
  readonly keepsAlive: KeepsAlive = (res) => {
    if (this.#isLastRequest(res)) {
      bump(this.#stats, slot.httpKeepAliveExhausted);
      return false;
    }
    const isKept =
      this.#open <= this.#limits.maxHttpConnections && this.#isWithinShare(this.#kept, peerAddress(res));
    if (!isKept) {
      bump(this.#stats, slot.httpKeepAliveRefused);
    }
    return isKept;
  };

  /**
   * Whether a new connection may stay open. Below half of the limit the address is not read, because that costs more than
   * the rest of accepting.
   */
  accepts(res: HttpResponse): boolean {
    const { maxHttpConnections } = this.#limits;
    const open = this.#open;
    if (open <= maxHttpConnections / 2) {
      return true;
    }
    const isAccepted = this.#isWithinShare(this.#accepted, peerAddress(res)) || open <= maxHttpConnections;
    if (!isAccepted) {
      bump(this.#stats, slot.httpConnectionsRefused);
    }
    return isAccepted;
  }

  // Only the relay tells connections apart; the front of HTTP/2 counts the requests of a session.
  #isLastRequest(res: HttpResponse): boolean {
    const { maxKeepAliveRequests } = this.#limits;
    const peer = maxKeepAliveRequests === 0 ? undefined : relayedPeer(res);
    if (peer === undefined || peer.isHttp2) {
      return false;
    }
    peer.requests++;
    return peer.requests >= maxKeepAliveRequests;
  }

  /** Connections that are not, or not yet, WebSockets. */
  get #open(): number {
    return (this.#stats[slot.sockets] ?? 0) - (this.#stats[slot.connections] ?? 0);
  }

  #isWithinShare(counts: SlidingCounts, peer: string): boolean {
    const { maxHttpConnectionsPerIp } = this.#limits;
    // A proxy carries connections of many clients.
    return (
      maxHttpConnectionsPerIp === 0 ||
      this.#trusts(peer) ||
      counts.add(clientGroup(peer), maxHttpConnectionsPerIp)
    );
  }
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

  /** Counts one more, unless that would exceed `max`. Returns whether it did. */
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
