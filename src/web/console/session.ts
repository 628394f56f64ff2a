// One console session: the connection, its round trips, its log entries, and reconnecting.
import type { Announcer } from "../ui/announcer.ts";
import { describeAsked } from "../websocket/asked.ts";
import { type ClosedFacts, type Connection, createConnection } from "../websocket/connection.ts";
import { type MessageData, payloadBytes } from "../websocket/payload.ts";
import type { TargetResult } from "../websocket/target.ts";
import { createAttempts } from "./attempts.ts";
import { createLatencySummary, type LatencySummary } from "./latency-summary.ts";
import type { NewEntry } from "./log-entries.ts";
import { createReporter } from "./reporter.ts";
import { createRoundTrips } from "./round-trips.ts";

/** The page, as a session uses it. */
export interface SessionHost {
  target(): TargetResult;
  log(entry: NewEntry): void;
  /** Whether to reconnect a lost connection. */
  reconnects(): boolean;
  /** The server's largest message in bytes, once known. */
  maxPayload(): number | undefined;
  /** Called when a connection has opened. */
  opened(): void;
  /** Called when the page has to be updated. */
  changed(): void;
  announcer: Announcer;
}

export interface Session {
  readonly connection: Connection;
  /** The last connection failed or was lost. */
  failed(): boolean;
  /** When the next attempt to reconnect starts, in ms of performance.now(); undefined when none is planned. */
  reconnectsAtMs(): number | undefined;
  latency: LatencySummary;
  connect(): void;
  cancelReconnect(): void;
  /** Closes the connection without reconnecting. */
  dispose(): void;
  /** Sends, and connects first if closed. Returns false if it cannot send now. */
  send(data: MessageData): boolean;
  /** Sends, and closes with 1000 once the echo has arrived. */
  sendOnce(data: MessageData): void;
}

export function createSession(host: SessionHost): Session {
  const roundTrips = createRoundTrips();
  const latency = createLatencySummary();
  const attempts = createAttempts(() => performance.now(), connect);
  const reporter = createReporter(host.log, host.announcer);
  const connection = createConnection({
    opened,
    received,
    failed: () => reporter.failed(attempts.areFailing()),
    closed,
  });
  let failed = false;
  let whenOpen: MessageData | undefined;
  let closeAfterEcho = false;

  function connect(): void {
    const wanted = host.target();
    if ("problem" in wanted || connection.readyState() !== WebSocket.CLOSED) {
      return;
    }
    failed = false;
    attempts.started();
    try {
      connection.connect(wanted.url, wanted.protocols);
      reporter.connecting();
    } catch (error) {
      reporter.refused(error);
    }
    host.changed();
  }

  function send(data: MessageData): boolean {
    if (connection.readyState() === WebSocket.CLOSED) {
      attempts.cancel();
      whenOpen = data;
      connect();
      return connection.readyState() === WebSocket.CONNECTING;
    }
    if (connection.readyState() !== WebSocket.OPEN) {
      return false;
    }
    roundTrips.sent(data, performance.now());
    attempts.sent(payloadBytes(data));
    connection.send(data);
    reporter.sent(data);
    host.changed();
    return true;
  }

  function opened(): void {
    reporter.opened(attempts.opened(), connection.protocol(), describeAsked(connection.url()));
    host.opened();
    host.changed();
    const waiting = whenOpen;
    whenOpen = undefined;
    if (waiting !== undefined) {
      send(waiting);
    }
  }

  function received(data: MessageData, atMs: number): void {
    const roundTripMs = roundTrips.received(data, atMs);
    if (roundTripMs !== undefined) {
      latency.record(roundTripMs);
    }
    reporter.received(data, roundTripMs);
    if (closeAfterEcho) {
      connection.close(1000, "done");
    }
    closeAfterEcho = false;
    host.changed();
  }

  function closed(facts: ClosedFacts): void {
    failed = facts.code === 1006 && !facts.wanted;
    const why = attempts.ended(facts, host.maxPayload(), !facts.wanted && host.reconnects());
    whenOpen = undefined;
    closeAfterEcho = false;
    roundTrips.clear();
    reporter.closed(facts, why, failed);
    host.changed();
  }

  return {
    connection,
    failed: () => failed,
    reconnectsAtMs: attempts.plannedAtMs,
    latency,
    connect,
    dispose() {
      attempts.cancel();
      connection.close(1000, "");
    },
    cancelReconnect: attempts.cancel,
    send,
    sendOnce(data) {
      closeAfterEcho = send(data);
    },
  };
}
