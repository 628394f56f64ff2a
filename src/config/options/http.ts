// Options for plain HTTP.

import * as z from "zod";
import { defaultMaxConnections } from "../../system/resources.ts";
import { commaList, count, option, toggle } from "../option.ts";

const domainName = z
  .string()
  .regex(/^\.?[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*$/)
  .transform((name) => name.toLowerCase());

export const http = {
  maxUploads: count({
    group: "HTTP",
    help: "concurrent uploads to POST /echo; more are refused with 503",
    min: 1,
    max: 1_000_000,
    default: 256,
    limit: {
      name: "uploads",
      help: "Concurrent uploads to POST /echo",
      value: Number,
      outcome: "503 with Retry-After",
      countedBy: ["echo_uploads", "echo_uploads_rejected_total"],
    },
  }),
  maxHttpConnections: count({
    group: "HTTP",
    help: "open HTTP connections; beyond this, each response closes its connection",
    min: 1,
    max: 10_000_000,
    default: () => Math.ceil(defaultMaxConnections() / 2),
    defaultNote: "half of what the descriptor limit allows",
    limit: {
      name: "http_connections",
      help: "HTTP connections that may be kept open",
      value: Number,
      outcome:
        "each response closes its connection, and further connections of an address that has used its share are closed at once",
      countedBy: [
        "echo_http_connections",
        "echo_http_keep_alive_refused_total",
        "echo_http_connections_refused_total",
      ],
    },
  }),
  maxHttpConnectionsPerIp: count({
    group: "HTTP",
    help: "responses to one client address (IPv6: one /64) in 14 s that leave their connection open; 0 is off",
    min: 0,
    max: 10_000_000,
    default: () => Math.ceil(defaultMaxConnections() / 8),
    defaultNote: "an eighth of what the descriptor limit allows",
    limit: {
      name: "http_connections_per_ip",
      help: "HTTP connections of one address that may be kept open, 0 for no limit",
      value: Number,
      outcome: "each response to the address closes its connection; the proxies of --trust-proxy are exempt",
      countedBy: ["echo_http_keep_alive_refused_total"],
    },
  }),
  maxKeepAliveRequests: count({
    group: "HTTP",
    help: "requests on one HTTP connection over TLS before a response closes it; 0 is off",
    min: 0,
    max: 10_000_000,
    default: 1000,
    limit: {
      name: "keep_alive_requests",
      help: "Requests on one HTTP connection over TLS, 0 for no limit",
      value: Number,
      outcome: "the response closes the connection; an HTTP/2 session gets GOAWAY",
      countedBy: ["echo_http_keep_alive_exhausted_total"],
    },
  }),
  inspect: toggle({
    group: "HTTP",
    help: "/inspect, which shows a request as the server received it",
    default: true,
  }),
  allowHost: option<"any" | readonly string[]>({
    group: "HTTP",
    type: "string | readonly string[]",
    placeholder: "<name,...|any|none>",
    help: "domain names under which /inspect and /metrics answer clients in private networks; .example.org is every name below it",
    expected: "any, none, or domain names such as echo.example.org or .example.org separated by commas",
    schema: z.union([
      z.literal("any"),
      z.string().transform(commaList).pipe(z.array(domainName).min(1)),
      z.array(domainName),
    ]),
    default: [],
    format: (value) => (typeof value === "string" ? value : value.length === 0 ? "none" : value.join(",")),
  }),
};
