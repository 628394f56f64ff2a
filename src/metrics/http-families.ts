// The families of HTTP/1.1 and HTTP/2.
import type { Sample } from "../lib/bulk-histogram.ts";
import { httpCodes, httpSlot, routes, slot } from "./counters.ts";
import type { Families } from "./prom-client.ts";
import { at } from "./reading.ts";

export function defineHttp(families: Families): void {
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
    "echo_http_keep_alive_exhausted_total",
    "HTTP connections that were closed after --max-keep-alive-requests",
    at(slot.httpKeepAliveExhausted),
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

export function defineHttp2(families: Families): void {
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
