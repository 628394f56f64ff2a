// THE table of options: the source of flags, variables, --help, --print-config, the reference and the limit gauges.
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { availableParallelism, hostname } from "node:os";
import * as z from "zod";
import { tokenPattern } from "../lib/token.ts";
import { formatDuration } from "../lib/units.ts";
import { defaultMaxBuffered, defaultMaxConnections, defaultMaxPayload } from "../system/resources.ts";
import {
  choice,
  commaList,
  count,
  duration,
  file,
  integer,
  integerSchema,
  option,
  rate,
  size,
  toggle,
} from "./option.ts";

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;
const seconds = (milliseconds: number): number => milliseconds / 1000;

const domainName = z
  .string()
  .regex(/^\.?[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*$/)
  .transform((name) => name.toLowerCase());
const echoPath = z
  .string()
  .regex(/^\/[!-~]*$/)
  .refine((path) => !/[*:?#,]/.test(path));
const headerName = z
  .string()
  .regex(tokenPattern)
  .transform((name) => name.toLowerCase());
/** Eight hexadecimal digits. */
const randomInstance = (): string => randomBytes(4).toString("hex");

const host = z.string().regex(/^(\*|[0-9A-Za-z.:%_-]+)$/);

const listening = {
  port: integer({
    group: "Listening",
    help: "port of /echo and the HTTP endpoints; 0 lets the system choose",
    min: 0,
    max: 65_535,
    default: 9998,
  }),
  host: option({
    group: "Listening",
    type: "string",
    placeholder: "<address>",
    help: "address or host name to listen on; * is every address, IPv4 and IPv6",
    expected: "an IP address, a host name or *",
    schema: host,
    default: "*",
    format: String,
  }),
  adminPort: option({
    group: "Listening",
    type: "number | string",
    placeholder: "<n|off>",
    help: "moves /metrics and the health endpoints to a listener of their own, in plain HTTP",
    expected: "a port from 0 to 65535, or off",
    schema: z.union([z.literal("off").transform(() => undefined), integerSchema(0, 65_535), z.undefined()]),
    default: undefined,
    format: (value) => (value === undefined ? "off" : String(value)),
  }),
  adminHost: option({
    group: "Listening",
    type: "string",
    placeholder: "<address>",
    help: "address of the admin listener",
    expected: "an IP address, a host name or *",
    schema: host,
    default: "*",
    format: String,
  }),
  reusePort: toggle({
    group: "Listening",
    help: "lets other servers share the port (SO_REUSEPORT); without it, a second server fails to start",
    default: false,
  }),
  workers: option({
    group: "Listening",
    type: "number | string",
    placeholder: "<n|auto>",
    help: "worker processes that share the port; auto starts one per core; the server's limits are divided among them",
    expected: "a whole number from 1 to 256, or auto",
    schema: z.union([z.literal("auto").transform(() => availableParallelism()), integerSchema(1, 256)]),
    default: 1,
    format: String,
  }),
  workerTimeout: duration({
    group: "Listening",
    help: "a worker that does not answer its supervisor for this long is killed and replaced; a start may take three times as long",
    min: 1000,
    max: 3_600_000,
    off: true,
    default: 10_000,
    limit: {
      name: "worker_timeout_seconds",
      help: "Silence after which a worker is killed and replaced, 0 for never",
      value: seconds,
    },
  }),
};

const websocket = {
  maxPayload: size({
    group: "WebSocket",
    help: "largest message, after decompression; a larger one ends the connection (1006)",
    min: 1,
    max: giB,
    default: defaultMaxPayload,
    defaultNote: "from 64KiB to 16MiB, a 256th of the memory limit",
    limit: { name: "payload_bytes", help: "Largest message accepted, in bytes", value: Number },
  }),
  subprotocols: option<"any" | "none" | readonly string[]>({
    group: "WebSocket",
    type: "string | readonly string[]",
    placeholder: "<a,b|any|none>",
    help: "supported sub-protocols, best first; any accepts the client's first offer, none accepts no sub-protocol",
    expected: "any, none, or sub-protocol names (RFC 6455 tokens) separated by commas",
    schema: z.union([
      z.enum(["any", "none"]),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().regex(tokenPattern)).min(1)),
      z.array(z.string().regex(tokenPattern)).min(1),
    ]),
    default: "any",
    format: (value) => (typeof value === "string" ? value : value.join(",")),
  }),
  compression: choice({
    group: "WebSocket",
    help: "permessage-deflate: one compressor for all, or one per connection, with a window of 512 bytes (for small, similar messages)",
    choices: ["off", "shared", "dedicated"],
    default: "off",
  }),
  compressionMinSize: size({
    group: "WebSocket",
    help: "replies smaller than this are sent uncompressed",
    min: 0,
    max: giB,
    default: kiB,
  }),
  idleTimeout: duration({
    group: "WebSocket",
    help: "drops a connection that is silent for this long; it is pinged some 16 s before",
    // uWS aborts the process for 1 to 7 s and above 960 s.
    min: 8000,
    max: 960_000,
    off: true,
    whole: "seconds",
    default: 50_000,
    limit: {
      name: "idle_timeout_seconds",
      help: "Silence after which a connection is dropped, 0 for never",
      value: seconds,
    },
  }),
  maxLifetime: duration({
    group: "WebSocket",
    help: "closes each connection with 1001 at this age, or up to 10 % earlier at random",
    min: 100,
    max: 7 * 86_400_000,
    off: true,
    default: 0,
    limit: {
      name: "lifetime_seconds",
      help: "Age at which a connection is closed, 0 for never",
      value: seconds,
    },
  }),
  maxMessageRate: rate({
    group: "WebSocket",
    help: "messages per second of one connection, with a burst of as many; more close it with 1008; 0 is off",
    min: 0,
    max: 10_000_000,
    default: 0,
    limit: {
      name: "messages_per_second",
      help: "Messages that one connection may send per second, 0 for no limit",
      value: Number,
    },
  }),
  maxReceiveRate: size({
    group: "WebSocket",
    help: "bytes per second of one connection, after decompression, with a burst of as many or of --max-payload; more close it with 1008; 0 is off",
    min: 0,
    max: giB,
    default: 0,
    limit: {
      name: "received_bytes_per_second",
      help: "Bytes after decompression that one connection may send per second, 0 for no limit",
      value: Number,
    },
  }),
  goodbye: toggle({
    group: "WebSocket",
    help: "after the text Goodbye, echoes it and closes with 1000, as pywebsocket's echo handler does",
    default: false,
  }),
};

const backpressure = {
  maxBackpressure: size({
    group: "Backpressure",
    help: "bytes buffered for one slow reader; at least --max-payload; the peak is this plus one message",
    min: 1,
    max: giB,
    default: 16 * miB,
    limit: {
      name: "backpressure_bytes",
      help: "Bytes that may be buffered for one slow reader",
      value: Number,
    },
  }),
  maxBuffered: size({
    group: "Backpressure",
    help: "bytes buffered for all slow readers together; above it, the slowest is closed",
    min: 64 * kiB,
    max: 1024 * giB,
    default: defaultMaxBuffered,
    defaultNote: "a quarter of the memory limit",
    limit: {
      name: "buffered_bytes",
      help: "Bytes that may be buffered for all slow readers together",
      value: Number,
    },
  }),
  stallTimeout: duration({
    group: "Backpressure",
    help: "closes a connection that has bytes waiting and reads none for this long",
    min: 100,
    max: 3_600_000,
    off: true,
    default: 30_000,
    limit: {
      name: "stall_timeout_seconds",
      help: "Time without progress after which a slow reader is closed, 0 for never",
      value: seconds,
    },
  }),
  onBackpressure: choice({
    group: "Backpressure",
    help: "at --max-backpressure: close the connection, or drop the echo and count it",
    choices: ["close", "drop"],
    default: "close",
  }),
};

const admission = {
  maxConnections: count({
    group: "Admission",
    help: "maximum of open WebSocket connections; more get 503",
    min: 1,
    max: 10_000_000,
    default: defaultMaxConnections,
    defaultNote: "from the descriptor limit, with TLS also from memory",
    limit: { name: "connections", help: "WebSocket connections that may be open", value: Number },
  }),
  maxConnectionsPerIp: count({
    group: "Admission",
    help: "open WebSocket connections of one client address (IPv6: one /64); more are refused with 429; 0 is off",
    min: 0,
    max: 10_000_000,
    default: 0,
    limit: {
      name: "connections_per_ip",
      help: "WebSocket connections that one address may have open, 0 for no limit",
      value: Number,
    },
  }),
  handshakeRate: rate({
    group: "Admission",
    help: "WebSocket handshakes per second, with a burst of as many; more are refused with 429; 0 is off",
    min: 0,
    max: 1_000_000,
    default: 0,
    limit: {
      name: "handshakes_per_second",
      help: "WebSocket handshakes accepted per second, 0 for no limit",
      value: Number,
    },
  }),
  handshakeRatePerIp: rate({
    group: "Admission",
    help: "handshakes per second of one client address (IPv6: one /64), so that no address uses up --handshake-rate; 0 is off",
    min: 0,
    max: 1_000_000,
    default: 0,
    limit: {
      name: "handshakes_per_second_per_ip",
      help: "WebSocket handshakes of one address accepted per second, 0 for no limit",
      value: Number,
    },
  }),
  allowOrigin: option<"any" | readonly string[]>({
    group: "Admission",
    type: "string | readonly string[]",
    placeholder: "<origin,...|any>",
    help: "origins whose pages may connect; others get 403; clients that send no Origin (not browsers) are always allowed",
    expected: "any, or origins such as https://example.org separated by commas",
    schema: z.union([
      z.enum(["any", "*"]).transform(() => "any" as const),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().transform(readOrigin)).min(1)),
      z.array(z.string().transform(readOrigin)).min(1),
    ]),
    default: "any",
    format: (value) => (typeof value === "string" ? value : value.join(",")),
  }),
  trustProxy: option<readonly string[]>({
    group: "Admission",
    type: "string | readonly string[]",
    placeholder: "<cidr,...|none>",
    help: "proxies whose X-Forwarded-For is trusted",
    expected: "none, or networks such as 10.0.0.0/8 or ::1 separated by commas",
    schema: z.union([
      z.literal("none").transform(() => []),
      z
        .string()
        .transform(commaList)
        .pipe(z.array(z.string().transform(readCidr)).min(1)),
      z.array(z.string().transform(readCidr)),
    ]),
    default: [],
    format: (value) => (value.length === 0 ? "none" : value.join(",")),
  }),
};

const http = {
  maxUploads: count({
    group: "HTTP",
    help: "concurrent uploads to POST /echo; more get 503",
    min: 1,
    max: 1_000_000,
    default: 256,
    limit: { name: "uploads", help: "Concurrent uploads to POST /echo", value: Number },
  }),
  maxHttpConnections: count({
    group: "HTTP",
    help: "open HTTP connections; beyond it each answer ends its connection",
    min: 1,
    max: 10_000_000,
    default: () => Math.ceil(defaultMaxConnections() / 2),
    defaultNote: "half of what the descriptor limit allows",
    limit: { name: "http_connections", help: "HTTP connections that may be kept open", value: Number },
  }),
  maxHttpConnectionsPerIp: count({
    group: "HTTP",
    help: "answers to one client address (IPv6: one /64) in 14 s that leave their connection open; 0 is off",
    min: 0,
    max: 10_000_000,
    default: () => Math.ceil(defaultMaxConnections() / 8),
    defaultNote: "an eighth of what the descriptor limit allows",
    limit: {
      name: "http_connections_per_ip",
      help: "HTTP connections of one address that may be kept open, 0 for no limit",
      value: Number,
    },
  }),
  inspect: toggle({
    group: "HTTP",
    help: "/inspect, which shows a request as it reached the server",
    default: true,
  }),
  allowHost: option<"any" | readonly string[]>({
    group: "HTTP",
    type: "string | readonly string[]",
    placeholder: "<name,...|any|none>",
    help: "domain names under which /inspect and /metrics answer clients in private networks; .example.org is all below it",
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

const onDemand = {
  endpoints: choice({
    group: "Endpoints on demand",
    help: "which there are: none, those that only concern their own client, or also rooms and protocol violations",
    choices: ["off", "safe", "all"],
    default: "safe",
  }),
  endpointsConnections: count({
    group: "Endpoints on demand",
    help: "connections that endpoints on demand may have of --max-connections; more are refused with 503",
    min: 1,
    max: 10_000_000,
    default: 10_000,
    limit: {
      name: "endpoints_connections",
      help: "WebSocket connections that endpoints on demand may have",
      value: Number,
    },
  }),
  endpointsMaxDelay: duration({
    group: "Endpoints on demand",
    help: "longest delay that a client may ask for, of replies, handshakes and HTTP answers",
    min: 0,
    max: 60_000,
    default: 10_000,
    limit: {
      name: "endpoints_delay_seconds",
      help: "Longest delay that a client may ask for",
      value: seconds,
    },
  }),
  echoPaths: option<"any" | readonly string[]>({
    group: "Endpoints on demand",
    type: "string | readonly string[]",
    placeholder: "<path,...|*>",
    help: "paths of the WebSocket echo; * is every path that is nothing else",
    expected: "paths such as /echo,/ separated by commas, or *",
    schema: z.union([
      z.enum(["*", "any"]).transform(() => "any" as const),
      z.string().transform(commaList).pipe(z.array(echoPath).min(1)),
      z.array(echoPath).min(1),
    ]),
    default: ["/echo"],
    format: (value) => (typeof value === "string" ? "*" : value.join(",")),
  }),
  instance: option<string>({
    group: "Endpoints on demand",
    placeholder: "<text|hostname|random|none>",
    help: "names this server in /inspect, in greet=instance, and in the header Uws-Echo-Instance of each 101",
    expected: "hostname, random, none, or printable ASCII of at most 253 characters",
    schema: z
      .string()
      .regex(/^[!-~]([ -~]{0,251}[!-~])?$/)
      .transform((text) => (text === "hostname" ? hostname() : text === "random" ? randomInstance() : text)),
    default: randomInstance,
    defaultNote: "8 random hexadecimal digits",
    format: String,
  }),
  inspectHide: option<readonly string[]>({
    group: "Endpoints on demand",
    type: "string | readonly string[]",
    placeholder: "<header,...|none>",
    help: "headers that /inspect never shows; over WebSocket it never shows Cookie, Authorization and Proxy-Authorization either",
    expected: "none, or names of headers separated by commas",
    schema: z.union([
      z.literal("none").transform(() => []),
      z.string().transform(commaList).pipe(z.array(headerName).min(1)),
      z.array(headerName),
    ]),
    default: [],
    format: (value) => (value.length === 0 ? "none" : value.join(",")),
  }),
};

const tls = {
  tlsCert: file({
    group: "TLS",
    help: "certificate chain in PEM; serves wss:// and https://, needs --tls-key",
  }),
  tlsKey: file({ group: "TLS", help: "private key in PEM" }),
  tlsPassphraseFile: file({
    group: "TLS",
    help: "file that holds the passphrase of the key; one line ending after it is not part of it",
  }),
  tlsCa: file({
    group: "TLS",
    help: "certificate authorities in PEM that client certificates must be signed by",
  }),
  tlsClientAuth: choice({
    group: "TLS",
    help: "client certificates: none asks for none, request lets in clients that show none, require does not",
    choices: ["none", "request", "require"],
    default: "none",
    defaultNote: "none, or request with --tls-ca",
  }),
  tlsMinVersion: choice({
    group: "TLS",
    help: "oldest TLS version that is spoken",
    choices: ["1.2", "1.3"],
    default: "1.2",
  }),
  tlsCiphers: option({
    group: "TLS",
    type: "string",
    placeholder: "<list|modern>",
    help: "cipher suites in OpenSSL's notation; modern is those of TLS 1.3, and of 1.2 the AEADs with forward secrecy",
    expected: "modern, or a cipher list in OpenSSL's notation",
    schema: z.string().min(1),
    default: "modern",
    format: String,
  }),
  tlsHandshakeTimeout: duration({
    group: "TLS",
    help: "time for a TLS handshake, and then as long again for the first byte of a request",
    min: 100,
    max: 600_000,
    default: 10_000,
    limit: {
      name: "tls_handshake_timeout_seconds",
      help: "Time that a client has for the TLS handshake, and again for its first byte after it",
      value: seconds,
    },
  }),
  tlsMaxHandshakes: count({
    group: "TLS",
    help: "concurrent unfinished TLS handshakes; further connections are reset",
    min: 1,
    max: 1_000_000,
    default: 1000,
    limit: {
      name: "tls_unfinished_handshakes",
      help: "Concurrent unfinished TLS handshakes",
      value: Number,
    },
  }),
  http2: toggle({
    group: "TLS",
    help: "offers HTTP/2 by ALPN, with WebSockets over it (RFC 8441)",
    default: false,
  }),
  http2MaxStreams: count({
    group: "TLS",
    help: "open streams of one HTTP/2 connection, WebSockets included; more are refused",
    min: 1,
    max: 10_000,
    default: 100,
    limit: {
      name: "http2_streams",
      help: "Streams that one HTTP/2 connection may have open",
      value: Number,
    },
  }),
  tlsEngine: choice({
    group: "TLS",
    help: "what speaks TLS: Node, or uWebSockets.js, which is faster and cuts clients with much in flight",
    choices: ["node", "uws"],
    default: "node",
  }),
};

const shutdown = {
  drainDelay: duration({
    group: "Shutdown",
    help: "after SIGTERM, how long /readyz answers 503 before the server stops listening",
    min: 0,
    max: 3_600_000,
    default: 0,
  }),
  drainSpread: duration({
    group: "Shutdown",
    help: "time over which connections are closed, at random moments; below --drain-timeout",
    min: 0,
    max: 3_600_000,
    default: 0,
  }),
  drainTimeout: duration({
    group: "Shutdown",
    help: "time for connections to end after the server stops listening; the rest is dropped",
    min: 100,
    max: 3_600_000,
    default: 10_000,
    limit: {
      name: "drain_timeout_seconds",
      help: "Time that a shutdown gives connections to end",
      value: seconds,
    },
  }),
};

const pages = {
  console: toggle({
    group: "Pages and logs",
    help: "the page at / that tries the server from a browser",
    default: true,
  }),
  logLevel: choice({
    group: "Pages and logs",
    placeholder: "<level>",
    help: "lowest level that is logged: fatal, error, warn, info, debug, trace or silent",
    choices: ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
    default: "info",
  }),
};

/** Every option of the server, by the name that a program uses. */
export const options = {
  ...listening,
  ...websocket,
  ...backpressure,
  ...admission,
  ...http,
  ...onDemand,
  ...tls,
  ...shutdown,
  ...pages,
};

/** The effective value of every option: sizes in bytes, durations in milliseconds. */
export type Config = {
  readonly [Name in keyof typeof options]: z.output<(typeof options)[Name]["schema"]>;
};

/** What several options must agree on. Returns one sentence for each disagreement. */
export function disagreements(config: Config): string[] {
  const problems: string[] = [];
  if (config.maxBackpressure < config.maxPayload) {
    problems.push(
      "--max-backpressure must be at least --max-payload, or the largest message could never be echoed",
    );
  }
  if (config.maxBuffered < config.maxBackpressure) {
    problems.push("--max-buffered must be at least --max-backpressure");
  }
  if (config.drainSpread >= config.drainTimeout) {
    problems.push(
      `--drain-spread must be below --drain-timeout (${formatDuration(config.drainTimeout)}), or the last connections would be dropped`,
    );
  }
  if (config.adminPort !== undefined && config.adminPort === config.port && config.port !== 0) {
    problems.push("--admin-port must differ from --port");
  }
  if (config.tlsCert === undefined || config.tlsKey === undefined) {
    const given = (["tlsCert", "tlsKey", "tlsCa", "tlsPassphraseFile"] as const).some(
      (name) => config[name] !== undefined,
    );
    if (given) {
      problems.push("TLS needs both --tls-cert and --tls-key");
    }
  }
  if (config.http2 && (config.tlsCert === undefined || config.tlsEngine === "uws")) {
    problems.push("--http2 needs TLS: --tls-cert and --tls-key, with --tls-engine node");
  }
  if (config.tlsClientAuth !== "none" && config.tlsCa === undefined) {
    problems.push(
      `--tls-client-auth ${config.tlsClientAuth} needs --tls-ca, the authorities of the clients' certificates`,
    );
  }
  return problems;
}

function readOrigin(text: string, context: z.RefinementCtx): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === "null" && text !== "null") {
    context.addIssue({ code: "custom", message: `${text} is not an origin` });
    return z.NEVER;
  }
  return origin;
}

// Strict: ipaddr.js alone takes 010.0.0.0 for octal and 10 for 0.0.0.10.
function readCidr(text: string, context: z.RefinementCtx): string {
  const [, address = "", bits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const widest = family === 6 ? 128 : 32;
  if (family !== 0 && Number(bits ?? widest) <= widest) {
    return `${address}/${bits ?? widest}`;
  }
  context.addIssue({ code: "custom", message: `${text} is not a network` });
  return z.NEVER;
}
