// Computes the figures of the Server panel from two readings of /metrics. Pure; the only file here that uses
// the server's metric names.
import { type Samples, sumOf } from "../../lib/prometheus-text.ts";

/** The counters and gauges of one scrape. Missing figures are undefined. */
export interface Reading {
  /** Time of the reading, in ms of a monotonic clock. */
  readonly atMs: number;
  readonly version: string | undefined;
  readonly connections: number | undefined;
  readonly messagesReceived: number | undefined;
  readonly messagesSent: number | undefined;
  readonly receivedBytes: number | undefined;
  readonly sentBytes: number | undefined;
  readonly drops: number | undefined;
  readonly bufferedBytes: number | undefined;
  readonly backpressuredConnections: number | undefined;
  /** Utilisation of each worker's event loop, 0 to 1, in the order of the page. */
  readonly eventLoops: readonly number[];
  readonly cpuSeconds: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly limits: readonly Limit[];
}

/** One `echo_limit_*` gauge. */
export interface Limit {
  /** In words, for example `payload`. */
  readonly name: string;
  /** The gauge's name without `echo_limit_`, for example `payload_bytes`. */
  readonly gauge: string;
  readonly value: number;
  readonly unit: "bytes" | "seconds" | "count";
}

/** Changes between two readings, per second. */
export interface Rates {
  readonly messagesIn: number | undefined;
  readonly messagesOut: number | undefined;
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
  readonly drops: number | undefined;
  /** CPU use in percent of a core: 200 is two cores. */
  readonly cpuPercent: number | undefined;
}

/** Extracts the figures from a parsed page. */
export function readFigures(samples: Samples, atMs: number): Reading {
  return {
    atMs,
    version: samples.get("echo_build_info")?.[0]?.labels.get("version"),
    connections: sumOf(samples, "echo_connections"),
    messagesReceived: sumOf(samples, "echo_messages_received_total"),
    messagesSent: sumOf(samples, "echo_messages_sent_total"),
    receivedBytes: sumOf(samples, "echo_received_bytes_total"),
    sentBytes: sumOf(samples, "echo_sent_bytes_total"),
    drops: sumOf(samples, "echo_sends_total", { result: "dropped" }),
    bufferedBytes: sumOf(samples, "echo_buffered_bytes"),
    backpressuredConnections: sumOf(samples, "echo_backpressured_connections"),
    eventLoops: (samples.get("echo_worker_event_loop_utilization") ?? []).map((sample) => sample.value),
    cpuSeconds:
      sumOf(samples, "echo_worker_cpu_seconds_total") ?? sumOf(samples, "process_cpu_seconds_total"),
    memoryBytes:
      sumOf(samples, "echo_worker_resident_memory_bytes") ?? sumOf(samples, "process_resident_memory_bytes"),
    limits: readLimits(samples),
  };
}

/** Rates between two readings of the same server; a counter that decreased was reset to 0. */
export function ratesBetween(before: Reading, after: Reading): Rates {
  const seconds = (after.atMs - before.atMs) / 1000;
  const rate = (from: number | undefined, to: number | undefined) => {
    if (from === undefined || to === undefined || seconds <= 0) {
      return undefined;
    }
    return (to >= from ? to - from : to) / seconds;
  };
  const cpu = rate(before.cpuSeconds, after.cpuSeconds);
  return {
    messagesIn: rate(before.messagesReceived, after.messagesReceived),
    messagesOut: rate(before.messagesSent, after.messagesSent),
    bytesIn: rate(before.receivedBytes, after.receivedBytes),
    bytesOut: rate(before.sentBytes, after.sentBytes),
    drops: rate(before.drops, after.drops),
    cpuPercent: cpu === undefined ? undefined : cpu * 100,
  };
}

const limitPrefix = "echo_limit_";

function readLimits(samples: Samples): Limit[] {
  const limits: Limit[] = [];
  for (const [metric, [first]] of samples) {
    if (!metric.startsWith(limitPrefix) || first === undefined) {
      continue;
    }
    const name = metric.slice(limitPrefix.length);
    const unit = name.endsWith("_bytes") ? "bytes" : name.endsWith("_seconds") ? "seconds" : "count";
    limits.push({
      name: name.replace(/_(bytes|seconds)$/, "").replaceAll("_", " "),
      gauge: name,
      value: first.value,
      unit,
    });
  }
  return limits;
}
