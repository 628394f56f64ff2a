// What the dashboard shows: its panels, row by row.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  BytesIEC,
  BytesPerSecondSI,
  CountsPerSecond,
  MessagesPerSecond,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
  Short,
} from "@grafana/grafana-foundation-sdk/units";
import { graph, stat, table } from "./panels.ts";
import { byInstance, byReason, byWorker, generated, limit, live, of, quantiles } from "./queries.ts";

type Panels = readonly Builder<Panel>[];

/** The strip above the rows. */
export const now: Panels = [
  stat({
    title: "Servers up",
    description: "Servers that answered the last scrape.",
    span: 3,
    unit: Short,
    expr: `sum(${of("up")})`,
  }),
  stat({
    title: "Alerts firing",
    description: "Of deploy/prometheus/rules, over all servers. docs/runbook.md says what to do.",
    span: 3,
    unit: Short,
    expr: `count(ALERTS{alertname=~"UwsEcho.*", alertstate="firing"}) or vector(0)`,
    alarm: 1,
  }),
  stat({
    title: "Messages",
    description: "Messages received per second.",
    span: 3,
    unit: MessagesPerSecond,
    expr: live("echo_messages_received_total"),
  }),
  stat({
    title: "Payload",
    description: "Payload received per second.",
    span: 3,
    unit: BytesPerSecondSI,
    expr: live("echo_received_bytes_total"),
  }),
  stat({
    title: "Busiest worker",
    description: "Share of its time that is used, over five minutes; at 100 % it is saturated.",
    span: 3,
    unit: PercentUnit,
    expr: `max(${of("job_instance:echo_worker_event_loop_utilization:max_avg5m")})`,
    alarm: 0.95,
  }),
  stat({
    title: "Echoes dropped",
    description:
      "Share of echoes that were dropped, over five minutes, where it is largest. Anything but 0 is loss.",
    span: 3,
    unit: PercentUnit,
    expr: `max(${of("job_instance:echo_sends_dropped_per_send:ratio_rate5m")})`,
    alarm: 1e-9,
  }),
  stat({
    title: "Buffers used",
    description: "The fullest server: bytes waiting for slow readers over --max-buffered.",
    span: 3,
    unit: PercentUnit,
    expr: `max(${of("job_instance:echo_buffered_bytes:ratio")})`,
    alarm: 0.8,
  }),
  stat({
    title: "Connections used",
    description: "The fullest server: open connections over --max-connections.",
    span: 3,
    unit: PercentUnit,
    expr: `max(${of("job_instance:echo_connections:ratio")})`,
    alarm: 0.9,
  }),
];

const traffic: Panels = [
  graph({
    title: "Messages received",
    description: "By type.",
    unit: MessagesPerSecond,
    queries: [{ legend: "{{type}}", expr: live("echo_messages_received_total", "type") }],
  }),
  graph({
    title: "Payload in and out",
    description: "Payload per second: received above, echoed below.",
    unit: BytesPerSecondSI,
    queries: [
      { legend: "in {{type}}", expr: live("echo_received_bytes_total", "type") },
      { legend: "out {{type}}", expr: live("echo_sent_bytes_total", "type"), isBelow: true },
    ],
  }),
  graph({
    title: "Results of send",
    description: "What became of each echo: out at once, waiting in user space, or dropped.",
    unit: MessagesPerSecond,
    queries: [{ legend: "{{result}}", expr: live("echo_sends_total", "result") }],
  }),
  graph({
    title: "Messages by server",
    description: "Over five minutes: received above, echoed below.",
    span: 6,
    unit: MessagesPerSecond,
    queries: [
      { legend: "in {{instance}}", expr: of("job_instance:echo_messages_received:rate5m") },
      { legend: "out {{instance}}", expr: of("job_instance:echo_messages_sent:rate5m"), isBelow: true },
    ],
  }),
  graph({
    title: "Payload by server",
    description: "Over five minutes: received above, echoed below.",
    span: 6,
    unit: BytesPerSecondSI,
    queries: [
      { legend: "in {{instance}}", expr: of("job_instance:echo_received_bytes:rate5m") },
      { legend: "out {{instance}}", expr: of("job_instance:echo_sent_bytes:rate5m"), isBelow: true },
    ],
  }),
  graph({
    title: "Message size",
    description: "Payload of messages received, over five minutes, from buckets by powers of four.",
    span: 6,
    unit: BytesIEC,
    queries: quantiles("echo_message_size_bytes"),
  }),
  graph({
    title: "HTTP responses",
    description: "By route and status code, the probes and scrapes left out.",
    span: 6,
    unit: RequestsPerSecond,
    queries: [
      {
        legend: "{{route}} {{code}}",
        expr: `${live("echo_http_requests_total", "route, code", 'route!~"/metrics|/livez|/readyz|/healthz"')} > 0`,
      },
    ],
  }),
];

const eventLoop: Panels = [
  graph({
    title: "Event loop utilization",
    description: "Share of each worker's time that is used; at 100 % it is saturated, and its clients wait.",
    unit: PercentUnit,
    max: 1,
    queries: byWorker(of("echo_worker_event_loop_utilization")),
  }),
  graph({
    title: "Event loop lag",
    description:
      "How late timers ran since the scrape before, in the process that answers scrapes: with --workers that is the supervisor, which serves no client.",
    unit: Seconds,
    queries: [
      { legend: "p50 {{instance}}", expr: of("nodejs_eventloop_lag_p50_seconds") },
      { legend: "p99 {{instance}}", expr: of("nodejs_eventloop_lag_p99_seconds") },
    ],
  }),
  graph({
    title: "CPU time per message",
    description: "Of all workers of a server, over five minutes: the figure of the benchmarks.",
    unit: Seconds,
    queries: [byInstance("job_instance:echo_worker_cpu_seconds_per_message:ratio_rate5m")],
  }),
];

const backpressure: Panels = [
  graph({
    title: "Bytes waiting for slow readers",
    description: "In user space; dashed: --max-buffered.",
    unit: BytesIEC,
    queries: [byInstance("echo_buffered_bytes"), limit(of("echo_limit_buffered_bytes"))],
  }),
  graph({
    title: "Connections under pressure",
    description: "Connections with bytes waiting.",
    unit: Short,
    queries: [byInstance("echo_backpressured_connections")],
  }),
  graph({
    title: "Buffered sends and drains",
    description: "Echoes that had to wait, and times that a connection could be written to again.",
    unit: OpsPerSecond,
    queries: [
      { legend: "buffered", expr: live("echo_sends_total", "", 'result="buffered"') },
      { legend: "drains", expr: live("echo_drains_total") },
    ],
  }),
  graph({
    title: "Echoes dropped",
    description: "Per second, over five minutes. Anything but 0 is loss.",
    unit: MessagesPerSecond,
    queries: [byInstance("job_instance:echo_sends_dropped:rate5m")],
  }),
  graph({
    title: "bufferedAmount after a buffered send",
    description: "Over five minutes, on the server where it is largest.",
    unit: BytesIEC,
    queries: quantiles("echo_buffered_amount_bytes"),
  }),
  graph({
    title: "Time under pressure",
    description:
      "How long connections were under pressure, over five minutes, on the server where it is longest.",
    unit: Seconds,
    queries: quantiles("echo_backpressure_duration_seconds"),
  }),
];

const connections: Panels = [
  graph({
    title: "Open connections",
    description: "WebSocket connections; dashed: --max-connections.",
    unit: Short,
    queries: [byInstance("echo_connections"), limit(of("echo_limit_connections"))],
  }),
  graph({
    title: "Opened and closed",
    description: "WebSocket connections per second, over five minutes: opened above, closed below.",
    unit: CountsPerSecond,
    queries: [
      { legend: "opened {{instance}}", expr: of("job_instance:echo_connections_opened:rate5m") },
      {
        legend: "closed {{instance}}",
        expr: of("job_instance:echo_connections_closed:rate5m"),
        isBelow: true,
      },
    ],
  }),
  graph({
    title: "Closed, by close code",
    description: "1006 is a connection that ended without a close frame.",
    unit: CountsPerSecond,
    queries: [{ legend: "{{code}}", expr: `${live("echo_connections_closed_total", "code")} > 0` }],
  }),
  graph({
    title: "Ended by the server",
    description: "Connections ended by the server, by reason, over five minutes.",
    unit: CountsPerSecond,
    queries: byReason("job_instance_reason:echo_connections_terminated:rate5m"),
  }),
  graph({
    title: "Lifetime of closed connections",
    description: "Over five minutes, on the server where it is longest.",
    unit: Seconds,
    queries: quantiles("echo_connection_duration_seconds"),
  }),
  graph({
    title: "Client sockets",
    description: "TCP connections, HTTP included; dashed: where listening pauses for want of descriptors.",
    unit: Short,
    queries: [
      byInstance("echo_sockets"),
      // The gauge is of one worker; each worker has one CPU counter.
      limit(
        `${of("echo_limit_sockets")} * on (job, instance) count by (job, instance) (${of("echo_worker_cpu_seconds_total")})`,
      ),
    ],
  }),
];

const admission: Panels = [
  graph({
    title: "Handshakes refused",
    description: "Per second, by reason, over five minutes.",
    unit: OpsPerSecond,
    queries: byReason("job_instance_reason:echo_upgrades_rejected:rate5m"),
  }),
  graph({
    title: "Share of handshakes refused",
    description: "By reason, over five minutes, on the server where it is largest.",
    unit: PercentUnit,
    queries: [
      {
        legend: "{{reason}}",
        expr: `max by (reason) (${of("job_instance_reason:echo_upgrades_rejected_per_handshake:ratio_rate5m")})`,
      },
    ],
  }),
  graph({
    title: "Listening paused",
    description: "Times that a server stopped listening because descriptors ran short.",
    unit: Short,
    queries: [
      {
        legend: "{{instance}}",
        expr: `sum by (instance) (increase(${of("echo_listen_pauses_total")}[$__rate_interval]))`,
      },
    ],
  }),
];

const http: Panels = [
  graph({
    title: "HTTP connections",
    description: "Open connections that are not WebSockets; dashed: --max-http-connections.",
    unit: Short,
    queries: [byInstance("echo_http_connections"), limit(of("echo_limit_http_connections"))],
  }),
  graph({
    title: "Uploads",
    description: "POST /echo in progress; dashed: --max-uploads.",
    unit: Short,
    queries: [byInstance("echo_uploads"), limit(of("echo_limit_uploads"))],
  }),
  graph({
    title: "Uploaded",
    description: "Bodies received by POST /echo, per second.",
    unit: BytesPerSecondSI,
    queries: [{ legend: "uploaded", expr: live("echo_http_echoed_bytes_total") }],
  }),
  graph({
    title: "HTTP refused by limits",
    description:
      "Uploads refused with 503, connections closed when they were accepted, and responses that closed their connection.",
    span: 12,
    unit: OpsPerSecond,
    queries: [
      { legend: "uploads", expr: live("echo_uploads_rejected_total") },
      { legend: "connections", expr: live("echo_http_connections_refused_total") },
      { legend: "keep-alive", expr: live("echo_http_keep_alive_refused_total") },
    ],
  }),
  graph({
    title: "Responses not read",
    description:
      "Responses that clients have not read completely, and those that were aborted for it, per second.",
    span: 12,
    unit: Short,
    queries: [
      { legend: "waiting {{instance}}", expr: of("echo_http_answers_waiting") },
      { legend: "aborted", expr: live("echo_http_answers_aborted_total") },
    ],
  }),
];

const tls: Panels = [
  graph({
    title: "TLS handshakes",
    description: "Completed, by version.",
    unit: OpsPerSecond,
    queries: [{ legend: "TLS {{version}}", expr: live("echo_tls_handshakes_total", "version") }],
  }),
  graph({
    title: "TLS failures",
    description: "Refused before the handshake, or failed during it, by reason.",
    unit: OpsPerSecond,
    queries: [{ legend: "{{reason}}", expr: `${live("echo_tls_failures_total", "reason")} > 0` }],
  }),
  graph({
    title: "TLS handshakes in progress",
    description: "Dashed: --tls-max-handshakes.",
    unit: Short,
    queries: [byInstance("echo_tls_handshakes"), limit(of("echo_limit_tls_unfinished_handshakes"))],
  }),
  graph({
    title: "Bytes waiting in the TLS layer",
    description: "For slow readers, besides those that wait for slow readers in the server.",
    unit: BytesIEC,
    queries: [byInstance("echo_tls_buffered_bytes")],
  }),
  graph({
    title: "Time until the certificate expires",
    description: "Of the worker whose certificate is the oldest.",
    unit: Seconds,
    queries: [
      {
        legend: "{{instance}}",
        expr: `min by (instance) (${of("echo_tls_certificate_expiry_timestamp_seconds")}) - time()`,
      },
    ],
  }),
  graph({
    title: "Reloads of the TLS files",
    description: "A failed one keeps the old files.",
    unit: Short,
    queries: [
      {
        legend: "{{result}} {{instance}}",
        expr: `sum by (instance, result) (increase(${of("echo_tls_reloads_total")}[$__rate_interval]))`,
      },
    ],
  }),
];

const onDemand: Panels = [
  graph({
    title: "Connections of endpoints on demand",
    description: "By endpoint; echo is /echo with parameters.",
    unit: Short,
    queries: [
      {
        legend: "{{endpoint}}",
        expr: `sum by (endpoint) (${of("echo_endpoint_connections")}) > 0`,
      },
    ],
  }),
  graph({
    title: "Messages pushed",
    description: "Messages that endpoints on demand sent by themselves, by endpoint.",
    unit: MessagesPerSecond,
    queries: [
      { legend: "{{endpoint}}", expr: `${live("echo_messages_pushed_total", "endpoint")} > 0` },
      { legend: "left out", expr: live("echo_ticks_skipped_total") },
    ],
  }),
  graph({
    title: "Echoes held",
    description: "Memory of echoes that wait for the time that was asked for; a part of what is buffered.",
    unit: BytesIEC,
    queries: [byInstance("echo_delayed_bytes")],
  }),
];

const processes: Panels = [
  graph({
    title: "CPU",
    description: "Cores used by each worker, user and system.",
    span: 6,
    unit: Short,
    queries: byWorker(`rate(${of("echo_worker_cpu_seconds_total")}[$__rate_interval])`),
  }),
  graph({
    title: "Resident memory",
    description: "By worker.",
    span: 6,
    unit: BytesIEC,
    queries: byWorker(of("echo_worker_resident_memory_bytes")),
  }),
  graph({
    title: "Worker restarts",
    description:
      "Workers that died and were replaced. A restart of the whole server is marked in every panel.",
    span: 6,
    unit: Short,
    queries: [
      {
        legend: "{{instance}}",
        expr: `sum by (instance) (increase(${of("echo_worker_restarts_total")}[$__rate_interval]))`,
      },
    ],
  }),
  graph({
    title: "Scrape",
    description: "Time that the server took to render its metrics.",
    span: 6,
    unit: Seconds,
    queries: [byInstance("echo_scrape_duration_seconds")],
  }),
  table({
    title: "What is running",
    description: "Version of the server and of Node.",
    span: 24,
    expr: of("echo_build_info"),
  }),
];

/** Of generators that serve their metrics (uws-echo-bench --metrics-port), whichever job scrapes them. */
const load: Panels = [
  graph({
    title: "Load: messages",
    description: "Per second, over all generators. Lost messages had no reply within the time-out.",
    span: 6,
    unit: MessagesPerSecond,
    queries: ["sent", "answered", "lost", "unsent"].map((what) => ({
      legend: what,
      expr: `sum(rate(uws_echo_bench_messages_${what}_total[$__rate_interval]))`,
    })),
  }),
  graph({
    title: "Load: latency",
    description: "From the moment a message was due to its reply, estimated within a bucket.",
    span: 6,
    unit: Seconds,
    queries: [0.5, 0.99].map((quantile) => ({
      legend: `quantile ${quantile}`,
      expr: generated(quantile, "latency"),
    })),
  }),
  graph({
    title: "Load: lag of the generators",
    description: "How late they sent. Where this is near the latency, the generators are the bottleneck.",
    span: 6,
    unit: Seconds,
    queries: [{ legend: "quantile 0.99", expr: generated(0.99, "lag") }],
  }),
  graph({
    title: "Load: connections",
    description: "Open connections, by generator.",
    span: 6,
    unit: Short,
    queries: [{ legend: "{{instance}}", expr: "sum by (instance) (uws_echo_bench_connections)" }],
  }),
];

/** The rows from the top down, each with its title. */
export const rows: readonly (readonly [title: string, panels: Panels])[] = [
  ["Traffic", traffic],
  ["Latency of the event loop", eventLoop],
  ["Backpressure", backpressure],
  ["Connections", connections],
  ["Admission", admission],
  ["HTTP", http],
  ["TLS", tls],
  ["Endpoints on demand", onDemand],
  ["Process", processes],
  ["Load", load],
];
