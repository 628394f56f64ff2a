// The listener of wss:// and https://: Node's TLS in front of the uWS app, which listens on a private Unix socket.
// Refuses connections over a limit before their handshake.

import type { TemplatedApp } from "uWebSockets.js";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { Config } from "../config/options.ts";
import { normalizeAddress } from "../http/client-address.ts";
import { bump, countHttp, countTlsFailure, type Stats, slot, type TlsFailure } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import { createPrivateSocket, type PrivateSocket } from "../system/private-socket.ts";
import { createClosedClientLog } from "./closed-clients.ts";
import { refuseManyHeaders } from "./header-limit.ts";
import { Http2Front } from "./http2-front.ts";
import { listenErrorFor } from "./listener.ts";
import { createTlsAdmission, maxClients, type TlsAdmission } from "./tls-admission.ts";
import { Certificate } from "./tls-certificate.ts";
import { HeldBytes, Relay, type RelayParts } from "./tls-relay.ts";

export interface TlsListenerParts {
  readonly app: TemplatedApp;
  readonly config: Config;
  readonly stats: Stats;
  readonly log: Log;
  /** An inherited listening socket, in place of host and port. */
  readonly descriptor: number | undefined;
  /** Keys of session tickets, if several processes share them. */
  readonly ticketKeys: Buffer | undefined;
}

/** Interval at which handshakes are checked against their deadline, in milliseconds. */
const deadlineIntervalMs = 250;
/** Time without progress after which unsent bytes of a closed connection are dropped, in milliseconds. */
const lingerMs = 5000;

/** A client before its first byte of HTTP. */
interface Pending {
  readonly socket: Socket;
  readonly startedAt: number;
  readonly isHandshake: boolean;
}

/** Accepts TLS connections and relays them to the app. */
export class TlsListener {
  readonly #parts: TlsListenerParts;
  readonly #certificate: Certificate;
  readonly #admission: TlsAdmission;
  readonly #http2: Http2Front;
  readonly #server: Server;
  readonly #tls: TlsServer;
  readonly #relayParts: RelayParts;
  readonly #privateSocket: PrivateSocket;
  readonly #timer: NodeJS.Timeout;
  /** Clients that are not relayed yet, by TCP address; the oldest is first. */
  readonly #pending = new Map<string, Pending>();
  readonly #sockets = new Set<Socket>();
  #handshakes = 0;
  #port = 0;

  /** @throws ConfigError if the files are invalid */
  constructor(parts: TlsListenerParts) {
    const { config, stats, log } = parts;
    this.#parts = parts;
    this.#certificate = new Certificate(config, stats, log, (context) => {
      this.#tls.setSecureContext({ ...context, ...this.#ticketKeys });
    });
    this.#privateSocket = createPrivateSocket();
    const now = (): number => performance.now();
    const warn = createClosedClientLog(log, now);
    this.#relayParts = {
      path: this.#privateSocket.path,
      lingerMs,
      held: new HeldBytes(
        config.maxBuffered / 2,
        (bytes) => {
          stats[slot.tlsHeldBytes] = bytes;
        },
        (address, bufferedBytes) => {
          bump(stats, slot.tlsHeldOverflows);
          warn("buffer_cap", { address, bufferedBytes });
        },
      ),
    };
    const most = maxClients();
    this.#http2 = new Http2Front({
      config,
      stats,
      log,
      path: this.#privateSocket.path,
      hasRoom: () => this.#open < most,
    });
    this.#admission = createTlsAdmission(config, now);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const isAsked = config.tlsClientAuth !== "none";
    this.#tls = createTlsServer({
      ...this.#certificate.context,
      ...this.#ticketKeys,
      handshakeTimeout: config.tlsHandshakeTimeout,
      requestCert: isAsked,
      rejectUnauthorized: config.tlsClientAuth === "require",
      ALPNProtocols: config.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
    });
    this.#tls.on("secureConnection", (client) => this.#secured(client));
    this.#tls.on("tlsClientError", (error, client) => this.#failed(error, client));
    this.#timer = setInterval(() => this.#enforceDeadlines(), deadlineIntervalMs).unref();
  }

  /** The current or last port. */
  get port(): number {
    return this.#port;
  }

  /** Expiry of the certificate in use, in seconds since 1970. */
  get certificateExpirySeconds(): number {
    return this.#certificate.expirySeconds;
  }

  /** @throws ListenError that names the cause */
  async open(): Promise<void> {
    const { app, config, descriptor } = this.#parts;
    let isOpen = false;
    // The app closes this socket together with all others.
    app.listen_unix((socket) => {
      isOpen = Boolean(socket);
    }, this.#privateSocket.path);
    const { host, port } = config;
    const address = { port, ...(host === "*" ? {} : { host }), exclusive: true, backlog: 4096 };
    try {
      if (!isOpen) {
        throw new Error(`the Unix socket ${this.#privateSocket.path} cannot be opened`);
      }
      this.#server.listen(descriptor === undefined ? address : { fd: descriptor });
      await once(this.#server, "listening");
    } catch (error) {
      this.stop();
      throw listenErrorFor({ listener: "main", host, port }, error as NodeJS.ErrnoException);
    }
    const bound = this.#server.address();
    this.#port = typeof bound === "object" && bound !== null ? bound.port : port;
  }

  /** Stops listening; connected clients stay. */
  close(): void {
    this.#server.close();
    this.#http2.close();
  }

  /** Reads the TLS files again. */
  reload(): void {
    this.#certificate.reload();
  }

  /** Waits until all clients have closed after the app's close frames, and drops the rest at the deadline. */
  async finish(timeoutMs: number, force: AbortSignal): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (const { socket } of this.#pending.values()) {
      socket.destroy();
    }
    while (this.#sockets.size > 0 && performance.now() < deadline && !force.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.stop();
  }

  /** Ends everything at once. */
  stop(): void {
    clearInterval(this.#timer);
    this.#certificate.stop();
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#privateSocket.remove();
  }

  /** Users of descriptors: clients, and HTTP/2 streams. */
  get #open(): number {
    return this.#sockets.size + this.#http2.streams;
  }

  get #ticketKeys(): { readonly ticketKeys?: Buffer } {
    const { ticketKeys } = this.#parts;
    return ticketKeys === undefined ? {} : { ticketKeys };
  }

  #accept(socket: Socket): void {
    const { config, stats } = this.#parts;
    const address = normalizeAddress(socket.remoteAddress ?? "");
    const key = keyOf(socket);
    if (address === undefined || key === undefined) {
      socket.destroy();
      return;
    }
    const refusal =
      this.#handshakes >= config.tlsMaxHandshakes
        ? "handshakes"
        : this.#admission.admit(address, this.#open, stats[slot.connections] ?? 0);
    if (refusal !== undefined) {
      countTlsFailure(stats, refusal);
      socket.on("error", () => undefined).resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    stats[slot.sockets] = this.#sockets.size;
    this.#setPending(key, { socket, startedAt: performance.now(), isHandshake: true });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      stats[slot.sockets] = this.#sockets.size;
      this.#admission.release(address);
      this.#setPending(key, undefined);
    });
    this.#tls.emit("connection", socket);
  }

  #secured(client: TLSSocket): void {
    const { stats } = this.#parts;
    const key = keyOf(client);
    const pending = key === undefined ? undefined : this.#pending.get(key);
    const address = normalizeAddress(client.remoteAddress ?? "");
    if (key === undefined || address === undefined || pending === undefined) {
      client.destroy();
      return;
    }
    // Node does not refuse an invalid certificate if certificates are optional.
    if (client.authorizationError && client.getPeerX509Certificate() !== undefined) {
      countTlsFailure(stats, "client_certificate");
      client.destroy();
      return;
    }
    bump(stats, client.getProtocol() === "TLSv1.3" ? slot.tlsHandshakes13 : slot.tlsHandshakes12);
    client.on("error", () => client.destroy());
    this.#setPending(key, { socket: pending.socket, startedAt: performance.now(), isHandshake: false });
    if (client.alpnProtocol === "h2") {
      this.#setPending(key, undefined);
      this.#http2.accept(client, pending.socket, address);
      return;
    }
    client.once("data", (first: Buffer) => {
      // Stays pending, so the deadline also ends a client that does not close.
      if (refuseManyHeaders(client, first)) {
        countHttp(stats, "other", 431);
        return;
      }
      // Set only now, so that a client that disconnects earlier does not stay half open.
      client.allowHalfOpen = true;
      this.#setPending(key, undefined);
      new Relay(client, address, first, this.#relayParts);
    });
  }

  #failed(error: NodeJS.ErrnoException, client: TLSSocket): void {
    const reason: TlsFailure = client.authorizationError
      ? "client_certificate"
      : (failureByCode.get(error.code ?? "") ?? "protocol");
    countTlsFailure(this.#parts.stats, reason);
    this.#parts.log.debug({ reason, code: error.code }, "TLS handshake failed");
    client.destroy();
  }

  // A handshake that arrives byte by byte is never idle, so Node's own timeout does not end it.
  #enforceDeadlines(): void {
    const { config, stats } = this.#parts;
    const before = performance.now() - config.tlsHandshakeTimeout;
    for (const [key, { socket, startedAt, isHandshake }] of this.#pending) {
      if (startedAt > before) {
        return;
      }
      this.#setPending(key, undefined);
      if (isHandshake) {
        countTlsFailure(stats, "timeout");
      }
      socket.destroy();
    }
  }

  #setPending(key: string, pending: Pending | undefined): void {
    const before = this.#pending.get(key);
    this.#pending.delete(key);
    if (pending !== undefined) {
      this.#pending.set(key, pending);
    }
    this.#handshakes += Number(pending?.isHandshake ?? false) - Number(before?.isHandshake ?? false);
    this.#parts.stats[slot.tlsPendingHandshakes] = this.#handshakes;
  }
}

const failureByCode = new Map<string, TlsFailure>([
  ["ECONNRESET", "closed"],
  ["EPIPE", "closed"],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "timeout"],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "client_certificate"],
]);

/** A TLS socket does not expose its TCP socket, but both have the same addresses. */
function keyOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress } = socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress}`;
}
