// Every counter of the server, as one flat array of named slots: cheap to increment, copy and add.
import { type BehaviourName, behaviourNames } from "../lib/behaviours.ts";

/** Upper bounds of message-size buckets, in bytes: powers of four from 64 B; one more bucket counts larger messages. */
export const messageSizeBounds = [
  64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
];
/** Upper bounds of bufferedAmount after an incomplete send, in bytes. */
export const bufferedAmountBounds = [
  4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
/** Upper bounds of the time that a connection is under backpressure, in seconds. */
export const backpressureDurationBounds = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 10, 30, 60];
/** Upper bounds of connection lifetimes, in seconds. */
export const connectionDurationBounds = [0.1, 1, 10, 60, 300, 1800, 3600, 21_600, 86_400];

/** Upper bounds of the round-trip time of the server's pings, in seconds. */
export const pingRttBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Values of the label `code` of closed connections; `3xxx`, `4xxx` and `other` keep the label bounded. */
export const closeCodes = [
  "1000", "1001", "1002", "1003", "1005", "1006", "1007", "1008", "1009", "1010", "1011", "1012", "1013", "1014",
  "3xxx", "4xxx", "other",
] as const; // biome-ignore format: a table

/** Why the server ended a connection. One that was closed (`drain`) and then cut is also counted as `forced`. */
export const terminationReasons = [
  "backpressure", "buffer_cap", "stalled", "goodbye", "lifetime", "drain", "forced",
  "message_rate", "receive_rate", "asked",
] as const; // biome-ignore format: a table
export type TerminationReason = (typeof terminationReasons)[number];

/** Why an upgrade was refused. */
export const rejectionReasons = [
  "not_websocket", "bad_key", "bad_version", "bad_subprotocol",
  "capacity", "per_ip", "rate", "rate_per_ip", "origin", "draining",
  "bad_parameter", "unauthorized", "asked", "endpoints_capacity",
] as const; // biome-ignore format: a table
export type RejectionReason = (typeof rejectionReasons)[number];

/** Why a TLS connection failed: refused before its handshake, or an error during it. */
export const tlsFailures = [
  "capacity", "descriptors", "handshakes", "per_ip", "rate", "rate_per_ip",
  "protocol", "client_certificate", "timeout", "closed",
] as const; // biome-ignore format: a table
export type TlsFailure = (typeof tlsFailures)[number];

/** Values of the label `route`; endpoints on demand are `on_demand`, paths that do not exist are `other`. */
export const routes = [
  "/",
  "/echo",
  "/inspect",
  "/metrics",
  "/livez",
  "/readyz",
  "/healthz",
  "on_demand",
  "other",
] as const;
export type Route = (typeof routes)[number];
/** Values of the label `code` of HTTP responses. */
export const httpCodes = [200, 304, 400, 401, 403, 404, 405, 421, 426, 429, 503, "other"] as const;
export type HttpCode = (typeof httpCodes)[number];

let slotsTaken = 0;
function take(count = 1): number {
  const first = slotsTaken;
  slotsTaken += count;
  return first;
}

/** The index of each counter; of several slots, the first. */
export const slot = {
  // Counters only grow, and outlive their worker.
  textMessages: take(messageSizeBounds.length + 1),
  textBytes: take(),
  binaryMessages: take(messageSizeBounds.length + 1),
  binaryBytes: take(),
  sendsBuffered: take(),
  textDropped: take(),
  textDroppedBytes: take(),
  binaryDropped: take(),
  binaryDroppedBytes: take(),
  drains: take(),
  bufferedAmount: take(bufferedAmountBounds.length + 1),
  bufferedAmountSum: take(),
  backpressureDuration: take(backpressureDurationBounds.length + 1),
  backpressureDurationSum: take(),
  connectionDuration: take(connectionDurationBounds.length + 1),
  connectionDurationSum: take(),
  connectionsOpened: take(),
  connectionsClosed: take(closeCodes.length),
  connectionsTerminated: take(terminationReasons.length),
  upgradesRejected: take(rejectionReasons.length),
  httpRequests: take(routes.length * httpCodes.length),
  httpEchoedBytes: take(),
  listenPauses: take(),
  logLinesDropped: take(),
  workerHangs: take(),
  textTaken: take(),
  textTakenBytes: take(),
  binaryTaken: take(),
  binaryTakenBytes: take(),
  messagesPushed: take(behaviourNames.length),
  pushedBytes: take(),
  delayedDropped: take(),
  ticksSkipped: take(),
  fragmentsSent: take(),
  pingsSent: take(),
  pongsReceived: take(),
  pingRtt: take(pingRttBounds.length + 1),
  pingRttSum: take(),
  uploadsRejected: take(),
  httpAnswersAborted: take(),
  httpKeepAliveRefused: take(),
  httpKeepAliveExhausted: take(),
  httpConnectionsRefused: take(),
  tlsHandshakes12: take(),
  tlsHandshakes13: take(),
  tlsFailures: take(tlsFailures.length),
  tlsHeldOverflows: take(),
  tlsReloads: take(),
  tlsReloadsFailed: take(),
  http2WebSockets: take(),
  http2Requests: take(),
  // Gauges show the current state, and end with their worker.
  connections: take(),
  bufferedBytes: take(),
  backpressuredConnections: take(),
  sockets: take(),
  workersReady: take(),
  endpointConnections: take(behaviourNames.length),
  delayedMessages: take(),
  delayedBytes: take(),
  uploads: take(),
  httpAnswersWaiting: take(),
  tlsHeldBytes: take(),
  tlsPendingHandshakes: take(),
  http2Sessions: take(),
  http2Streams: take(),
} as const;

/** The first gauge; the slots before it are counters. */
export const firstGauge: number = slot.connections;

/** Number of slots. */
const slotCount: number = slotsTaken;

/** The counters of one process, or the sum of several. */
export type Stats = Float64Array;

export function createStats(): Stats {
  return new Float64Array(slotCount);
}

/** Adds every slot of `from` to `into`. */
export function addStats(into: Stats, from: Stats): void {
  for (let i = 0; i < slotCount; i++) {
    into[i] = (into[i] ?? 0) + (from[i] ?? 0);
  }
}

/**
 * Adds the counters of a dead worker, but not its gauges. Its open connections count as closed without a close
 * frame.
 */
export function addEnded(into: Stats, from: Stats): void {
  bump(into, slot.connectionsClosed + closeCodes.indexOf("1006"), from[slot.connections] ?? 0);
  for (let i = 0; i < firstGauge; i++) {
    into[i] = (into[i] ?? 0) + (from[i] ?? 0);
  }
}

/** Counts a received message; plain /echo does this inline. */
export function countMessage(stats: Stats, bytes: number, isBinary: boolean): void {
  bump(stats, (isBinary ? slot.binaryMessages : slot.textMessages) + messageSizeBucket(bytes));
  bump(stats, isBinary ? slot.binaryBytes : slot.textBytes, bytes);
}

/** Adds to one slot; not for the hot path. */
export function bump(stats: Stats, at: number, by = 1): void {
  stats[at] = (stats[at] ?? 0) + by;
}

/** Adds a value to a histogram whose buckets start at `first` and whose sum is in `sum`. */
export function observe(
  stats: Stats,
  first: number,
  sum: number,
  bounds: readonly number[],
  value: number,
): void {
  const found = bounds.findIndex((bound) => value <= bound);
  bump(stats, first + (found < 0 ? bounds.length : found));
  bump(stats, sum, value);
}

/**
 * Finds the bucket of `messageSizeBounds` without a search: the bounds are powers of four.
 * @param bytes payload bytes, below 2^31
 */
export function messageSizeBucket(bytes: number): number {
  if (bytes <= 64) {
    return 0;
  }
  // For 4^k < bytes <= 4^(k+1) the highest bit of bytes - 1 is 2k or 2k + 1; 64 is 4^3.
  const bucket = ((31 - Math.clz32(bytes - 1) - 6) >> 1) + 1;
  return Math.min(bucket, 10);
}

/** Counts a closed connection under its close code (RFC 6455, section 7.4). */
export function countClose(stats: Stats, code: number): void {
  // uWS reports 0 for an empty close frame that the server sent.
  const exact = closeCodes.indexOf((code === 0 ? "1005" : String(code)) as (typeof closeCodes)[number]);
  const label = code >= 4000 && code <= 4999 ? "4xxx" : code >= 3000 && code <= 3999 ? "3xxx" : "other";
  bump(stats, slot.connectionsClosed + (exact >= 0 ? exact : closeCodes.indexOf(label)));
}

export function countTermination(stats: Stats, reason: TerminationReason, connections = 1): void {
  bump(stats, slot.connectionsTerminated + terminationReasons.indexOf(reason), connections);
}

export function countRejection(stats: Stats, reason: RejectionReason): void {
  bump(stats, slot.upgradesRejected + rejectionReasons.indexOf(reason));
}

export function countTlsFailure(stats: Stats, reason: TlsFailure): void {
  bump(stats, slot.tlsFailures + tlsFailures.indexOf(reason));
}

/** Counts a response; a status without a label is `other`. */
export function countHttp(stats: Stats, route: Route, status: number): void {
  bump(stats, httpSlot(route, httpCodes.find((code) => code === status) ?? "other"));
}

/** The slot of one route and one status code. */
export function httpSlot(route: Route, code: HttpCode): number {
  return slot.httpRequests + routes.indexOf(route) * httpCodes.length + httpCodes.indexOf(code);
}

/** The slot of one endpoint on demand among several that start at `first`. */
export function endpointSlot(first: number, name: BehaviourName): number {
  return first + behaviourNames.indexOf(name);
}

/** Adds up `count` slots from `first`. */
export function sumSlots(stats: Stats, first: number, count: number): number {
  let sum = 0;
  for (let i = first; i < first + count; i++) {
    sum += stats[i] ?? 0;
  }
  return sum;
}
