// The Prometheus page: prom-client families that read stats inside collect(). Nothing here runs per message, and there
// is no uWS in it.
import { collectDefaultMetrics, type OpenMetricsContentType, Registry } from "prom-client";
import { Families, type Sample } from "./families.ts";
import {
  backpressureDurationBounds,
  bufferedAmountBounds,
  closeCodes,
  connectionDurationBounds,
  httpCodes,
  httpSlot,
  messageSizeBounds,
  rejectionReasons,
  routes,
  type Stats,
  slot,
  sumSlots,
  terminationReasons,
} from "./stats.ts";
import type { Vitals } from "./vitals.ts";

/** Where the page's numbers come from: one process, or the sum over several. */
export interface MetricsSource {
  stats(): Stats;
  vitals(): readonly Vitals[];
  workerRestarts(): number;
}

/** A limit in force, as a gauge `echo_limit_<name>`. */
export interface LimitGauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

export interface BuildInfo {
  readonly version: string;
  readonly nodeVersion: string;
}

export type Format = "text" | "openmetrics";

const messageBuckets = messageSizeBounds.length + 1;

/** Counts that the hot path does not keep, worked out from those that it does. */
function messageCounts(stats: Stats) {
  const at = (index: number): number => stats[index] ?? 0;
  const count = (first: number, bytes: number, dropped: number, droppedBytes: number) => {
    const received = sumSlots(stats, first, messageBuckets);
    return {
      received,
      sent: received - at(dropped),
      receivedBytes: at(bytes),
      sentBytes: at(bytes) - at(droppedBytes),
      dropped: at(dropped),
    };
  };
  return {
    text: count(slot.textMessages, slot.textBytes, slot.textDropped, slot.textDroppedBytes),
    binary: count(slot.binaryMessages, slot.binaryBytes, slot.binaryDropped, slot.binaryDroppedBytes),
  };
}

function byType(stats: Stats, pick: (counts: ReturnType<typeof messageCounts>["text"]) => number): Sample[] {
  const { text, binary } = messageCounts(stats);
  return [
    [{ type: "text" }, pick(text)],
    [{ type: "binary" }, pick(binary)],
  ];
}

/** One registry in one format, filled from `source` at each scrape. */
export function createRegistry(
  format: Format,
  source: MetricsSource,
  limits: readonly LimitGauge[],
  build: BuildInfo,
): Registry {
  const registry = new Registry();
  // One registry per format: rendering as OpenMetrics renames prom-client's counters for good.
  if (format === "openmetrics")
    (registry as unknown as Registry<OpenMetricsContentType>).setContentType(
      Registry.OPENMETRICS_CONTENT_TYPE,
    );
  collectDefaultMetrics({ register: registry });
  const families = new Families(registry, () => source.stats());
  defineInfo(families, limits, build);
  defineConnections(families);
  defineMessages(families);
  defineHttpAndWorkers(families, source);
  return registry;
}

function defineInfo(families: Families, limits: readonly LimitGauge[], build: BuildInfo): void {
  families.gauge("echo_build_info", "Always 1; the labels tell what is running", () => [
    [{ version: build.version, node_version: build.nodeVersion }, 1],
  ]);
  for (const { name, help, value } of limits) families.gauge(`echo_limit_${name}`, help, () => [[{}, value]]);
}

function defineConnections(families: Families): void {
  families.gauge("echo_connections", "Open WebSocket connections", (s) => [[{}, s[slot.connections] ?? 0]]);
  families.gauge("echo_sockets", "Open TCP connections of clients, HTTP included", (s) => [
    [{}, s[slot.sockets] ?? 0],
  ]);
  families.counter("echo_connections_opened_total", "WebSocket connections opened", (s) => [
    [{}, s[slot.connectionsOpened] ?? 0],
  ]);
  families.counter("echo_connections_closed_total", "WebSocket connections closed, by close code", (s) =>
    labelled("code", closeCodes, s, slot.connectionsClosed),
  );
  families.counter(
    "echo_connections_terminated_total",
    "Connections that the server ended by itself, by reason",
    (s) => labelled("reason", terminationReasons, s, slot.connectionsTerminated),
  );
  families.counter("echo_upgrades_rejected_total", "WebSocket handshakes refused, by reason", (s) =>
    labelled("reason", rejectionReasons, s, slot.upgradesRejected),
  );
  families.counter(
    "echo_listen_pauses_total",
    "Times that listening paused because descriptors ran short",
    (s) => [[{}, s[slot.listenPauses] ?? 0]],
  );
  families.histogram(
    "echo_connection_duration_seconds",
    "Lifetime of WebSocket connections that have closed",
    (s) => ({
      bounds: connectionDurationBounds,
      counts: counts(s, slot.connectionDuration, connectionDurationBounds),
      sum: s[slot.connectionDurationSum] ?? 0,
    }),
  );
}

function defineMessages(families: Families): void {
  families.counter("echo_messages_received_total", "Messages received", (s) => byType(s, (c) => c.received));
  families.counter("echo_messages_sent_total", "Messages echoed", (s) => byType(s, (c) => c.sent));
  families.counter("echo_received_bytes_total", "Payload received, in bytes", (s) =>
    byType(s, (c) => c.receivedBytes),
  );
  families.counter("echo_sent_bytes_total", "Payload echoed, in bytes", (s) => byType(s, (c) => c.sentBytes));
  families.counter("echo_sends_total", "Results of send(): out at once, buffered, or dropped", (s) => {
    const { text, binary } = messageCounts(s);
    const buffered = s[slot.sendsBuffered] ?? 0;
    const dropped = text.dropped + binary.dropped;
    return [
      [{ result: "sent" }, text.sent + binary.sent - buffered],
      [{ result: "buffered" }, buffered],
      [{ result: "dropped" }, dropped],
    ];
  });
  families.gauge("echo_buffered_bytes", "Bytes waiting in user space for slow readers", (s) => [
    [{}, s[slot.bufferedBytes] ?? 0],
  ]);
  families.gauge("echo_backpressured_connections", "Connections with bytes waiting", (s) => [
    [{}, s[slot.backpressuredConnections] ?? 0],
  ]);
  families.counter(
    "echo_drains_total",
    "Times that a connection under pressure could be written again",
    (s) => [[{}, s[slot.drains] ?? 0]],
  );
  families.histogram("echo_message_size_bytes", "Payload of messages received", (s) => {
    const text = counts(s, slot.textMessages, messageSizeBounds);
    const binary = counts(s, slot.binaryMessages, messageSizeBounds);
    return {
      bounds: messageSizeBounds,
      counts: text.map((count, i) => count + (binary[i] ?? 0)),
      sum: (s[slot.textBytes] ?? 0) + (s[slot.binaryBytes] ?? 0),
    };
  });
  families.histogram(
    "echo_buffered_amount_bytes",
    "bufferedAmount of a connection after each buffered send",
    (s) => ({
      bounds: bufferedAmountBounds,
      counts: counts(s, slot.bufferedAmount, bufferedAmountBounds),
      sum: s[slot.bufferedAmountSum] ?? 0,
    }),
  );
  families.histogram(
    "echo_backpressure_duration_seconds",
    "How long connections stayed under pressure",
    (s) => ({
      bounds: backpressureDurationBounds,
      counts: counts(s, slot.backpressureDuration, backpressureDurationBounds),
      sum: s[slot.backpressureDurationSum] ?? 0,
    }),
  );
}

function defineHttpAndWorkers(families: Families, source: MetricsSource): void {
  families.counter("echo_http_requests_total", "HTTP responses, by route and status code", (s) =>
    routes.flatMap((route) =>
      httpCodes.map((code): Sample => [{ route, code }, s[httpSlot(route, code)] ?? 0]),
    ),
  );
  families.counter("echo_http_echoed_bytes_total", "Body received by POST /echo, in bytes", (s) => [
    [{}, s[slot.httpEchoedBytes] ?? 0],
  ]);
  const perWorker = (pick: (vitals: Vitals) => number) => (): Sample[] =>
    source.vitals().map((vitals) => [{ worker: vitals.worker }, pick(vitals)]);
  families.counter("echo_worker_restarts_total", "Workers that died and were replaced", () => [
    [{}, source.workerRestarts()],
  ]);
  families.gauge(
    "echo_worker_event_loop_utilization",
    "Share of the last second in which a worker's event loop was busy, 0 to 1",
    perWorker((vitals) => vitals.eventLoopUtilization),
  );
  families.counter(
    "echo_worker_cpu_seconds_total",
    "CPU time of a worker, user and system, in seconds",
    perWorker((vitals) => vitals.cpuSeconds),
  );
  families.gauge(
    "echo_worker_resident_memory_bytes",
    "Resident memory of a worker",
    perWorker((vitals) => vitals.residentBytes),
  );
}

function labelled(label: string, values: readonly string[], stats: Stats, first: number): Sample[] {
  return values.map((value, i) => [{ [label]: value }, stats[first + i] ?? 0]);
}

function counts(stats: Stats, first: number, bounds: readonly number[]): number[] {
  return [...stats.subarray(first, first + bounds.length + 1)];
}
