// Defines the metric families, which read the counters at each scrape. Nothing here runs per message.
import { type OpenMetricsContentType, Registry } from "prom-client";
import type { Sample } from "../lib/bulk-histogram.ts";
import {
  backpressureDurationBounds,
  bufferedAmountBounds,
  closeCodes,
  connectionDurationBounds,
  messageSizeBounds,
  rejectionReasons,
  type Stats,
  slot,
  sumSlots,
  terminationReasons,
} from "./counters.ts";
import { defineHttp, defineHttp2 } from "./http-families.ts";
import { defineOnDemand } from "./on-demand.ts";
import { defineProcess } from "./process-families.ts";
import type { ProcessSample, RuntimeMonitor } from "./process-sampler.ts";
import { Families } from "./prom-client.ts";
import { at, buckets, distribution, labelled } from "./reading.ts";
import { defineTls } from "./tls-families.ts";

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
  defineTls(families, () => source.samples());
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
