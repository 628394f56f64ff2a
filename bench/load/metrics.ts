// Counters and distributions of a group of connections, by name.

import { Distribution, type Recorded } from "./distribution.ts";

/** All counters. A message counts in the step in which it was due, an event of a connection in the step of its time. */
export const counterNames = [
  /** Messages by outcome: those that were due are `sent + unsent`. */
  "sent",
  "unsent",
  "answered",
  "lost",
  /** With a fence: unanswered because a close frame arrived first; the target may not have received them. */
  "crossed",
  "corrupt",
  /** Messages that arrived in the step, and their payload bytes, whichever they answer. */
  "received",
  "receivedBytes",
  /** Bytes on the sockets, over TLS those inside it. */
  "wireSent",
  "wireReceived",
  /** Attempts to connect, and their outcomes. */
  "begun",
  "opened",
  "failed",
  /** Refusals with Retry-After. */
  "retryAfter",
  /** Opened connections with compression. */
  "compressed",
  /** Connections that the target ended: with an unexpected code, and with an expected one. */
  "closed",
  "closedExpected",
  /** Connections that the client ended: because the population shrank or their lifetime was over. */
  "left",
  "expired",
  /** Clients that have reconnected after losing or failing to open their connection. */
  "reconnected",
  /** Pings sent, answered, and not answered in time. */
  "pings",
  "pongs",
  "lostPings",
] as const;
export type CounterName = (typeof counterNames)[number];

/** All distributions, in nanoseconds. */
export const distributionNames = [
  /** From the due time of a message to its reply; for an unsent one, its wait until the end. */
  "latency",
  /** The part of `latency` from unsent messages. */
  "unsentLatency",
  /** From the actual send time. */
  "service",
  /** The generator's delay before sending. */
  "lag",
  /** The generator's delay before connecting, against the schedule. */
  "connectLag",
  /** The stages of connecting, each from the end of the previous stage. */
  "tcp",
  "tls",
  "upgrade",
  /** From the due time of the connection to the end of the handshake. */
  "open",
  /** From the first message on a connection to its reply. */
  "firstEcho",
  /** From a ping to its pong. */
  "ping",
  /** Between two messages on a connection that listens. */
  "between",
  /** Time from losing a connection to having one again. */
  "gap",
  /** Time from needing a connection, or losing one, to having one, failed attempts included. */
  "absence",
] as const;
export type DistributionName = (typeof distributionNames)[number];

export type Counters = Record<CounterName, number>;

export function zeroCounters(): Counters {
  // A literal, so that counting is adding to a field.
  return {
    sent: 0,
    unsent: 0,
    answered: 0,
    lost: 0,
    crossed: 0,
    corrupt: 0,
    received: 0,
    receivedBytes: 0,
    wireSent: 0,
    wireReceived: 0,
    begun: 0,
    opened: 0,
    failed: 0,
    retryAfter: 0,
    compressed: 0,
    closed: 0,
    closedExpected: 0,
    left: 0,
    expired: 0,
    reconnected: 0,
    pings: 0,
    pongs: 0,
    lostPings: 0,
  };
}

export function addCounters(sum: Counters, part: Readonly<Counters>): void {
  for (const name of counterNames) {
    sum[name] += part[name];
  }
}

/** Connections with the same end. */
export interface Ended {
  readonly kind: string;
  /** Null when the connection never opened. */
  readonly code: number | null;
  /** HTTP status of a refusal. */
  readonly status: number | null;
  count: number;
}

/** Counters and distributions since the last call; plain data. */
export interface Taken {
  readonly counters: Counters;
  readonly distributions: Readonly<Partial<Record<DistributionName, Recorded>>>;
  readonly ended: readonly Ended[];
}

/** Counters and distributions by name, which are taken and reset repeatedly. */
export class Metrics {
  counters = zeroCounters();
  readonly latency = new Distribution();
  readonly unsentLatency = new Distribution();
  readonly service = new Distribution();
  readonly lag = new Distribution();
  readonly connectLag = new Distribution();
  readonly tcp = new Distribution();
  readonly tls = new Distribution();
  readonly upgrade = new Distribution();
  readonly open = new Distribution();
  readonly firstEcho = new Distribution();
  readonly ping = new Distribution();
  readonly between = new Distribution();
  readonly gap = new Distribution();
  readonly absence = new Distribution();
  #ended: Ended[] = [];

  ended(kind: string, code: number | null, status: number | null): void {
    const alike = this.#ended.find(
      (each) => each.kind === kind && each.code === code && each.status === status,
    );
    if (alike === undefined) {
      this.#ended.push({ kind, code, status, count: 1 });
    } else {
      alike.count += 1;
    }
  }

  take(): Taken {
    const { counters } = this;
    const ended = this.#ended;
    const distributions: Partial<Record<DistributionName, Recorded>> = {};
    for (const name of distributionNames) {
      const recorded = this[name].take();
      if (recorded !== undefined) {
        distributions[name] = recorded;
      }
    }
    this.counters = zeroCounters();
    this.#ended = [];
    return { counters, distributions, ended };
  }

  /** Frees the memory of the distributions. */
  release(): void {
    for (const name of distributionNames) {
      this[name].destroy();
    }
  }
}
