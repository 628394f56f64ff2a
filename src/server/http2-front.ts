// Serves HTTP/2 on a TLS connection: each stream becomes an HTTP/1.1 connection to the uWS app, and an extended CONNECT
// (RFC 8441) a WebSocket handshake on it. Then bytes pass in both directions.
import { randomBytes } from "node:crypto";
import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Config } from "../config/options.ts";
import { type RelayedPeer, registerPeer } from "../http/relayed-peer.ts";
import { bump, type Stats, slot } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";

export interface Http2Parts {
  readonly config: Pick<Config, "http2MaxStreams" | "maxKeepAliveRequests">;
  readonly stats: Stats;
  readonly log: Log;
  /** The path of the app's Unix socket. */
  readonly path: string;
  /** Whether enough descriptors are left for one more stream. */
  readonly hasRoom: () => boolean;
}

/** Time after which a session without streams is closed, in milliseconds. */
const idleTimeoutMs = 60_000;
/** Headers that HTTP/2 forbids (RFC 9113, section 8.2.2) or replaces. */
const connectionHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "te",
  "host",
]);
/** Response headers of the handshake that exist only in HTTP/1.1. */
const handshakeHeaders = new Set(["sec-websocket-accept", "sec-websocket-key"]);

/** All HTTP/2 sessions of a server. */
export class Http2Front {
  readonly #parts: Http2Parts;
  readonly #sessions = new Set<ServerHttp2Session>();
  #streams = 0;

  constructor(parts: Http2Parts) {
    this.#parts = parts;
  }

  /** Open streams of all sessions. */
  get streams(): number {
    return this.#streams;
  }

  /** Starts a session for a client that has negotiated h2. */
  accept(client: TLSSocket, tcp: Socket, address: string): void {
    const { config, stats, log } = this.#parts;
    const session = performServerHandshake(client, {
      settings: { enableConnectProtocol: true, maxConcurrentStreams: config.http2MaxStreams },
      maxSessionMemory: 4,
    });
    this.#sessions.add(session);
    stats[slot.http2Sessions] = this.#sessions.size;
    let streams = 0;
    let requests = 0;
    session.on("stream", (stream, headers) => {
      streams++;
      stream.on("close", () => streams--);
      this.#open(stream, headers, client, address);
      requests++;
      if (requests === config.maxKeepAliveRequests) {
        bump(stats, slot.httpKeepAliveExhausted);
        session.close();
      }
    });
    session.on("error", (error) => {
      log.debug({ err: error, address }, "HTTP/2 session failed");
      client.destroy();
    });
    session.setTimeout(idleTimeoutMs, () => {
      if (streams === 0) {
        session.close();
      }
    });
    session.on("close", () => {
      this.#sessions.delete(session);
      stats[slot.http2Sessions] = this.#sessions.size;
      // If Node ended the session because of a reset flood, destroying the TLS socket leaves the TCP connection open.
      tcp.destroy();
    });
  }

  /** Sends GOAWAY to every client; open streams continue. */
  close(): void {
    for (const session of this.#sessions) {
      session.close();
    }
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, client: TLSSocket, address: string): void {
    const { stats } = this.#parts;
    stream.on("error", () => stream.close(constants.NGHTTP2_CANCEL));
    const isConnect = headers[":method"] === "CONNECT";
    if (isConnect && headers[":protocol"] !== "websocket") {
      stream.respond({ ":status": 501 }, { endStream: true });
      return;
    }
    if (!this.#parts.hasRoom()) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    this.#streams++;
    stats[slot.http2Streams] = this.#streams;
    stream.on("close", () => {
      this.#streams--;
      stats[slot.http2Streams] = this.#streams;
    });
    bump(stats, isConnect ? slot.http2WebSockets : slot.http2Requests);
    this.#forward(stream, headers, isConnect, { address, socket: client, isHttp2: true, requests: 0 });
  }

  #forward(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    isWebSocket: boolean,
    peer: RelayedPeer,
  ): void {
    const registration = registerPeer(peer);
    const socket = openSocket(this.#parts.path, registration.preface);
    socket.on("close", () => registration.forget());
    const outgoing = request({
      method: isWebSocket ? "GET" : (headers[":method"] ?? "GET"),
      path: headers[":path"] ?? "/",
      headers: requestHeaders(headers, isWebSocket),
      setHost: false,
      createConnection: () => socket,
    });
    outgoing.on("upgrade", (answer, _socket, head) => {
      respond(stream, answer, 200);
      stream.write(head);
      joinSockets(stream, socket);
    });
    outgoing.on("response", (answer) => {
      respond(stream, answer, answer.statusCode ?? 502);
      answer.on("error", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      answer.pipe(stream);
    });
    outgoing.on("error", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    stream.on("close", () => socket.destroy());
    if (isWebSocket) {
      outgoing.end();
    } else {
      stream.pipe(outgoing);
    }
  }
}

/** Opens a connection to the app and writes the preface together with the request, as uWS needs it. */
function openSocket(path: string, preface: Buffer): Socket {
  const socket = connect({ path, allowHalfOpen: true });
  socket.cork();
  socket.write(preface);
  setImmediate(() => socket.uncork());
  return socket;
}

/** Translates header fields to HTTP/1.1 (the reverse of RFC 8441, section 5.1). */
function requestHeaders(headers: IncomingHttpHeaders, isWebSocket: boolean): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = { host: headers[":authority"] ?? headers.host ?? "" };
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !name.startsWith(":") && !connectionHeaders.has(name)) {
      fields[name] = value;
    }
  }
  return isWebSocket
    ? {
        ...fields,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      }
    : { ...fields, connection: "close" };
}

function respond(stream: ServerHttp2Stream, answer: IncomingMessage, status: number): void {
  if (stream.destroyed) {
    answer.destroy();
    return;
  }
  const fields = Object.entries(answer.headers).filter(
    ([name]) => !connectionHeaders.has(name) && !handshakeHeaders.has(name),
  );
  stream.respond({ ...Object.fromEntries(fields), ":status": status });
}

/** Passes bytes in both directions with backpressure, and ends each side when the other ends. */
function joinSockets(stream: ServerHttp2Stream, socket: Socket): void {
  stream.pipe(socket);
  socket.pipe(stream);
  socket.on("error", () => stream.close(constants.NGHTTP2_CANCEL));
}
