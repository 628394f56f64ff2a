// Defines the metric families, which read the counters at each scrape. Nothing here runs per message.
import { type OpenMetricsContentType, Registry } from "prom-client";
import type { Sample } from "../lib/bulk-histogram.ts";
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
  tlsFailures,
} from "./counters.ts";
import { defineOnDemand } from "./on-demand.ts";
import { defineProcess } from "./process-families.ts";
import type { ProcessSample, RuntimeMonitor } from "./process-sampler.ts";
import { Families } from "./prom-client.ts";
import { at, buckets, distribution, labelled } from "./reading.ts";

/** The source of the figures: one process, or the sum of several. */
export interface MetricsSource {
  stats(): Stats;
  samples(): readonly ProcessSample[];
  workerRestarts(): number;
  /** Of the process that answers. */
  readonly runtime: RuntimeMonitor;
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

/** One registry in one format, filled from `source` at each scrape. */
export function createRegistry(
  format: Format,
  source: MetricsSource,
  limits: readonly LimitGauge[],
  build: BuildInfo,
): Registry {
  const registry = new Registry();
  // One registry per format: rendering as OpenMetrics renames prom-client's counters permanently.
  if (format === "openmetrics") {
    (registry as unknown as Registry<OpenMetricsContentType>).setContentType(
      Registry.OPENMETRICS_CONTENT_TYPE,
    );
  }
  const families = new Families(registry, () => source.stats());
  defineInfo(families, limits, build);
  defineConnections(families);
  defineMessages(families);
  defineBackpressure(families);
  defineHttp(families);
  defineTls(families, source);
  defineOnDemand(families);
  defineHttp2(families);
  defineWorkers(families, source);
  defineProcess(families, source.runtime);
  return registry;
}

function defineInfo(families: Families, limits: readonly LimitGauge[], build: BuildInfo): void {
  families.gaugeBy(
    ["version", "node_version"],
    "echo_build_info",
    "Always 1; the labels name the running version",
    () => [[{ version: build.version, node_version: build.nodeVersion }, 1]],
  );
  for (const { name, help, value } of limits) {
    families.gauge(`echo_limit_${name}`, help, () => value);
  }
}

function defineConnections(families: Families): void {
  families.gauge("echo_connections", "Open WebSocket connections", at(slot.connections));
  families.gauge("echo_sockets", "Open TCP connections of clients, HTTP included", at(slot.sockets));
  families.counter(
    "echo_connections_opened_total",
    "WebSocket connections opened",
    at(slot.connectionsOpened),
  );
  families.counterBy(
    ["code"],
    "echo_connections_closed_total",
    "WebSocket connections closed, by close code",
    labelled("code", closeCodes, slot.connectionsClosed),
  );
  families.counterBy(
    ["reason"],
    "echo_connections_terminated_total",
    "Connections ended by the server, by reason",
    labelled("reason", terminationReasons, slot.connectionsTerminated),
  );
  families.counterBy(
    ["reason"],
    "echo_upgrades_rejected_total",
    "WebSocket handshakes refused, by reason",
    labelled("reason", rejectionReasons, slot.upgradesRejected),
  );
  families.counter(
    "echo_listen_pauses_total",
    "Times that the server paused listening because descriptors ran out",
    at(slot.listenPauses),
  );
  families.histogram(
    "echo_connection_duration_seconds",
    "Lifetime of closed WebSocket connections",
    distribution(connectionDurationBounds, slot.connectionDuration, slot.connectionDurationSum),
  );
}

function defineMessages(families: Families): void {
  const byType = (name: string, help: string, pick: (counts: MessageCounts) => number): void =>
    families.counterBy(["type"], name, help, (stats) => [
      [{ type: "text" }, pick(countText(stats))],
      [{ type: "binary" }, pick(countBinary(stats))],
    ]);
  byType("echo_messages_received_total", "Messages received", (counts) => counts.received);
  byType(
    "echo_messages_sent_total",
    "Messages echoed",
    (counts) => counts.received - counts.taken - counts.dropped,
  );
  byType("echo_received_bytes_total", "Payload received, in bytes", (counts) => counts.receivedBytes);
  byType(
    "echo_sent_bytes_total",
    "Payload echoed, in bytes",
    (counts) => counts.receivedBytes - counts.takenBytes - counts.droppedBytes,
  );
  families.counterBy(
    ["result"],
    "echo_sends_total",
    "Results of send(): sent at once, buffered, or dropped",
    (stats) => {
      const text = countText(stats);
      const binary = countBinary(stats);
      const buffered = stats[slot.sendsBuffered] ?? 0;
      const dropped = text.dropped + binary.dropped;
      const echoed = text.received - text.taken + binary.received - binary.taken;
      return [
        [{ result: "sent" }, echoed - dropped - buffered],
        [{ result: "buffered" }, buffered],
        [{ result: "dropped" }, dropped],
      ];
    },
  );
  families.histogram("echo_message_size_bytes", "Payload of messages received", (stats) => {
    const text = buckets(stats, slot.textMessages, messageSizeBounds);
    const binary = buckets(stats, slot.binaryMessages, messageSizeBounds);
    return {
      bounds: messageSizeBounds,
      counts: text.map((count, i) => count + (binary[i] ?? 0)),
      sum: (stats[slot.textBytes] ?? 0) + (stats[slot.binaryBytes] ?? 0),
    };
  });
}

function defineBackpressure(families: Families): void {
  families.gauge(
    "echo_buffered_bytes",
    "Bytes buffered in user space for slow readers, of WebSockets and uploads",
    at(slot.bufferedBytes),
  );
  families.gauge(
    "echo_backpressured_connections",
    "Connections with bytes buffered",
    at(slot.backpressuredConnections),
  );
  families.counter(
    "echo_drains_total",
    "Times that the socket of a slow reader became writable again",
    at(slot.drains),
  );
  families.histogram(
    "echo_buffered_amount_bytes",
    "bufferedAmount of a connection after each buffered send",
    distribution(bufferedAmountBounds, slot.bufferedAmount, slot.bufferedAmountSum),
  );
  families.histogram(
    "echo_backpressure_duration_seconds",
    "How long connections were under backpressure",
    distribution(backpressureDurationBounds, slot.backpressureDuration, slot.backpressureDurationSum),
  );
}

function defineHttp(families: Families): void {
  families.counterBy(
    ["route", "code"],
    "echo_http_requests_total",
    "HTTP responses, by route and status code",
    (stats) =>
      routes.flatMap((route) =>
        httpCodes.map((code): Sample => [{ route, code }, stats[httpSlot(route, code)] ?? 0]),
      ),
  );
  families.counter(
    "echo_http_echoed_bytes_total",
    "Body received by POST /echo, in bytes",
    at(slot.httpEchoedBytes),
  );
  families.gauge(
    "echo_http_answers_waiting",
    "HTTP responses that clients have not read completely",
    at(slot.httpAnswersWaiting),
  );
  families.counter(
    "echo_http_answers_aborted_total",
    "HTTP responses that were aborted: the client left, stalled, or sent another request instead of reading",
    at(slot.httpAnswersAborted),
  );
  families.gauge("echo_http_connections", "Open HTTP connections, idle ones included", (stats) =>
    Math.max(0, (stats[slot.sockets] ?? 0) - (stats[slot.connections] ?? 0)),
  );
  families.counter(
    "echo_http_keep_alive_refused_total",
    "HTTP responses that closed their connection because of --max-http-connections or --max-http-connections-per-ip",
    at(slot.httpKeepAliveRefused),
  );
  families.counter(
    "echo_http_connections_refused_total",
    "Connections closed at once: more than --max-http-connections were open, and the address had used its share",
    at(slot.httpConnectionsRefused),
  );
  families.gauge("echo_uploads", "Uploads to POST /echo in progress", at(slot.uploads));
  families.counter(
    "echo_uploads_rejected_total",
    "Uploads refused because --max-uploads were in progress",
    at(slot.uploadsRejected),
  );
}

function defineTls(families: Families, source: MetricsSource): void {
  families.counterBy(
    ["version"],
    "echo_tls_handshakes_total",
    "Completed TLS handshakes, by version",
    (stats) => [
      [{ version: "1.2" }, stats[slot.tlsHandshakes12] ?? 0],
      [{ version: "1.3" }, stats[slot.tlsHandshakes13] ?? 0],
    ],
  );
  families.counterBy(
    ["reason"],
    "echo_tls_failures_total",
    "TLS connections refused before the handshake or failed during it, by reason",
    labelled("reason", tlsFailures, slot.tlsFailures),
  );
  families.gauge("echo_tls_handshakes", "TLS handshakes in progress", at(slot.tlsPendingHandshakes));
  families.gauge(
    "echo_tls_buffered_bytes",
    "Bytes buffered for slow readers in the TLS layer, in addition to echo_buffered_bytes",
    at(slot.tlsHeldBytes),
  );
  families.counter(
    "echo_tls_overflows_total",
    "TLS clients dropped because the TLS layer buffered more than half of --max-buffered",
    at(slot.tlsHeldOverflows),
  );
  families.counterBy(
    ["result"],
    "echo_tls_reloads_total",
    "Reloads of the TLS files: ok, or failed, which keeps the old ones",
    (stats) => [
      [{ result: "ok" }, stats[slot.tlsReloads] ?? 0],
      [{ result: "failed" }, stats[slot.tlsReloadsFailed] ?? 0],
    ],
  );
  families.gaugeBy(
    ["worker"],
    "echo_tls_certificate_expiry_timestamp_seconds",
    "When the certificate in use expires, in seconds since 1970",
    () =>
      source
        .samples()
        .flatMap(({ worker, certificateExpirySeconds: expiry }): Sample[] =>
          expiry === undefined ? [] : [[{ worker }, expiry]],
        ),
  );
}

function defineHttp2(families: Families): void {
  families.gauge("echo_http2_sessions", "Open HTTP/2 connections", at(slot.http2Sessions));
  families.gauge("echo_http2_streams", "Open HTTP/2 streams, WebSockets included", at(slot.http2Streams));
  families.counterBy(
    ["kind"],
    "echo_http2_streams_total",
    "HTTP/2 streams, by kind: a WebSocket (RFC 8441) or a plain request",
    (stats) => [
      [{ kind: "websocket" }, stats[slot.http2WebSockets] ?? 0],
      [{ kind: "request" }, stats[slot.http2Requests] ?? 0],
    ],
  );
}

function defineWorkers(families: Families, source: MetricsSource): void {
  const perWorker = (pick: (sample: ProcessSample) => number) => (): Sample[] =>
    source.samples().map((sample) => [{ worker: sample.worker }, pick(sample)]);
  families.counter("echo_worker_restarts_total", "Workers that died and were replaced", () =>
    source.workerRestarts(),
  );
  families.counter(
    "echo_worker_hangs_total",
    "Workers that were killed because they did not respond",
    at(slot.workerHangs),
  );
  families.gauge("echo_workers_ready", "Workers that serve and respond", at(slot.workersReady));
  families.counter(
    "echo_log_lines_dropped_total",
    "Log lines dropped because nothing reads the log or the disk is full",
    at(slot.logLinesDropped),
  );
  families.gaugeBy(
    ["worker"],
    "echo_worker_event_loop_utilization",
    "Share of the last second in which a worker's event loop was busy, 0 to 1",
    perWorker((sample) => sample.eventLoopUtilization),
  );
  families.counterBy(
    ["worker"],
    "echo_worker_cpu_seconds_total",
    "CPU time of a worker, user and system, in seconds",
    perWorker((sample) => sample.cpuSeconds),
  );
  families.gaugeBy(
    ["worker"],
    "echo_worker_resident_memory_bytes",
    "Resident memory of a worker",
    perWorker((sample) => sample.residentBytes),
  );
}

/** The counters of the hot path for one type of message; the other figures are computed from them. */
interface MessageCounts {
  readonly received: number;
  readonly receivedBytes: number;
  readonly dropped: number;
  readonly droppedBytes: number;
  /** Received by an endpoint on demand without an echo. */
  readonly taken: number;
  readonly takenBytes: number;
}

function countText(stats: Stats): MessageCounts {
  return {
    received: sumSlots(stats, slot.textMessages, messageSizeBounds.length + 1),
    receivedBytes: stats[slot.textBytes] ?? 0,
    dropped: stats[slot.textDropped] ?? 0,
    droppedBytes: stats[slot.textDroppedBytes] ?? 0,
    taken: stats[slot.textTaken] ?? 0,
    takenBytes: stats[slot.textTakenBytes] ?? 0,
  };
}

function countBinary(stats: Stats): MessageCounts {
  return {
    received: sumSlots(stats, slot.binaryMessages, messageSizeBounds.length + 1),
    receivedBytes: stats[slot.binaryBytes] ?? 0,
    dropped: stats[slot.binaryDropped] ?? 0,
    droppedBytes: stats[slot.binaryDroppedBytes] ?? 0,
    taken: stats[slot.binaryTaken] ?? 0,
    takenBytes: stats[slot.binaryTakenBytes] ?? 0,
  };
}
