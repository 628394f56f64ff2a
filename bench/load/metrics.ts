// What is counted and timed of a group of connections, by name.

import { Distribution, type Recorded } from "./distribution.ts";

/** Everything that is counted. A message belongs to the step in which it was due, an event of a connection to that of its time. */
export const counterNames = [
  /** Messages by their fate: those that were due are `sent + unsent`. */
  "sent",
  "unsent",
  "answered",
  "lost",
  /** With a fence: not answered either, but a close frame came first, and the target may not have had them. */
  "crossed",
  "corrupt",
  /** Messages that arrived in the step, and their payload bytes, whichever they answer. */
  "received",
  "receivedBytes",
  /** Bytes on the sockets, over TLS those inside it. */
  "wireSent",
  "wireReceived",
  /** Attempts to connect, and what became of them. */
  "begun",
  "opened",
  "failed",
  /** Refusals that said when to come back (Retry-After). */
  "retryAfter",
  /** On how many of those opened the target agreed to compression. */
  "compressed",
  /** Connections that the target ended: with a code that is an error, and with one that is expected. */
  "closed",
  "closedExpected",
  /** Connections that the client ended: because the population shrank, or their lifetime was over. */
  "left",
  "expired",
  /** Clients that had lost their connection, or failed to get one, and have one again. */
  "reconnected",
  /** Pings sent, answered, and not answered in time. */
  "pings",
  "pongs",
  "lostPings",
] as const;
export type CounterName = (typeof counterNames)[number];

/** Everything that is timed, in nanoseconds. */
export const distributionNames = [
  /** From the moment a message was due to its reply; of an unsent one, what it had waited at the end. */
  "latency",
  /** The part of `latency` that is of unsent messages. */
  "unsentLatency",
  /** From the actual send time. */
  "service",
  /** How late the generator sent. */
  "lag",
  /** How late the generator began to connect, against the schedule. */
  "connectLag",
  /** The stages of connecting, each from the end of the stage before. */
  "tcp",
  "tls",
  "upgrade",
  /** From the moment the connection was due to the end of the handshake. */
  "open",
  /** From the first message on a connection to its reply. */
  "firstEcho",
  /** From a ping to its pong. */
  "ping",
  /** Between two messages on a connection that listens. */
  "between",
  /** How long a client was without a connection, from losing it to having one again. */
  "gap",
  /** From the moment a client was to have a connection, or lost it, to having one, failed attempts included. */
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

/** Connections that ended alike. */
export interface Ended {
  readonly kind: string;
  /** Null when the connection never opened. */
  readonly code: number | null;
  /** HTTP status of a refusal. */
  readonly status: number | null;
  count: number;
}

/** What was counted and timed since the last time; plain data. */
export interface Taken {
  readonly counters: Counters;
  readonly distributions: Readonly<Partial<Record<DistributionName, Recorded>>>;
  readonly ended: readonly Ended[];
}

/** Counters and distributions by name, to be filled, taken and filled again. */
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

  /** Gives the memory of the distributions back. */
  release(): void {
    for (const name of distributionNames) {
      this[name].destroy();
    }
  }
}
