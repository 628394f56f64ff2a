// One client of a population, and what is recorded about its connections.

import type { Connection, Ending } from "../engine/connection.ts";
import type { Metrics } from "./metrics.ts";

/**
 * absent: needs no connection. waiting: before its next attempt. leaving: we have closed its connection.
 * gone: lost its connection, and does not reconnect.
 */
type State = "absent" | "connecting" | "open" | "waiting" | "leaving" | "gone";

/** A client has at most one connection at a time, whose index is its number. */
export interface PopulationClient {
  readonly index: number;
  state: State;
  /** It should have a connection. */
  isWanted: boolean;
  connection: Connection | undefined;
  /** When the connection in progress was due, and when its last stage ended. */
  dueNs: number;
  markNs: number;
  /** Attempts in a row that failed. */
  failures: number;
  /** How often it has waited to try again. */
  waits: number;
  /** When it lost its connection; undefined while it has one, or never had. */
  lostNs: number | undefined;
  /** When it first needed a connection, or lost it; undefined while it has one. */
  sinceNs: number | undefined;
  hasTried: boolean;
}

export function createClients(count: number): PopulationClient[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    state: "absent",
    isWanted: false,
    connection: undefined,
    dueNs: 0,
    markNs: 0,
    failures: 0,
    waits: 0,
    lostNs: undefined,
    sinceNs: undefined,
    hasTried: false,
  }));
}

export function recordBegun(metrics: Metrics, client: PopulationClient, dueNs: number, nowNs: number): void {
  metrics.counters.begun += 1;
  metrics.connectLag.record(nowNs - dueNs, 1);
  client.dueNs = dueNs;
  client.markNs = nowNs;
}

export function recordStage(
  metrics: Metrics,
  client: PopulationClient,
  stage: "connected" | "secured",
  nowNs: number,
): void {
  (stage === "connected" ? metrics.tcp : metrics.tls).record(nowNs - client.markNs, 1);
  client.markNs = nowNs;
}

export function recordOpened(
  metrics: Metrics,
  client: PopulationClient,
  { isCompressed }: Connection,
  nowNs: number,
): void {
  const { counters, upgrade, open, gap, absence } = metrics;
  counters.opened += 1;
  counters.compressed += isCompressed ? 1 : 0;
  upgrade.record(nowNs - client.markNs, 1);
  open.record(nowNs - client.dueNs, 1);
  if (client.lostNs !== undefined) {
    counters.reconnected += 1;
    gap.record(nowNs - client.lostNs, 1);
  }
  if (client.sinceNs !== undefined) {
    absence.record(nowNs - client.sinceNs, 1);
  }
  client.lostNs = undefined;
  client.sinceNs = undefined;
}

/** The target has ended a connection. Returns whether that is an error. */
export function recordClosed(metrics: Metrics, { kind }: Ending, expectedCodes: readonly number[]): boolean {
  const code = codeOf(kind);
  const isExpected = expectedCodes.includes(code);
  metrics.ended(kind, code, null);
  metrics.counters[isExpected ? "closedExpected" : "closed"] += 1;
  return !isExpected;
}

/** A connection could not be opened. */
export function recordFailed(metrics: Metrics, { kind, status, retryAfterMs }: Ending): void {
  metrics.ended(kind, null, status ?? null);
  metrics.counters.failed += 1;
  metrics.counters.retryAfter += retryAfterMs === undefined ? 0 : 1;
}

/** Without a close frame it is 1006 (RFC 6455 section 7.1.5). */
function codeOf(kind: string): number {
  const [, code] = /^closed-(\d{4})$/.exec(kind) ?? [];
  return code === undefined ? 1006 : Number(code);
}
