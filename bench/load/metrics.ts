// What is counted and timed of a group of connections, by name.

/** Everything that is counted. A message belongs to the step in which it was due, an event of a connection to that of its time. */
export const counterNames = [
  /** Messages by their fate: those that were due are `sent + unsent`. */
  "sent",
  "unsent",
  "answered",
  "lost",
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
  /** How long a client was without a connection, from losing it to having one again. */
  "gap",
] as const;
export type DistributionName = (typeof distributionNames)[number];
