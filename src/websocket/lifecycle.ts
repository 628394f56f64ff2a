// The life of a WebSocket connection around its messages: handshake, admission, open, close. Slow path.
import type { HttpRequest, HttpResponse, us_socket_context_t } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { clientAddress, trustNetworks } from "../http/client-address.ts";
import type { HttpHandler } from "../http/endpoint.ts";
import { peerAddress, readHeaders } from "../http/headers.ts";
import type { SendReply } from "../http/reply.ts";
import {
  bump,
  connectionDurationBounds,
  countClose,
  countRejection,
  type HttpCode,
  observe,
  type Stats,
  slot,
} from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import type { Admission } from "./admission.ts";
import type { Backpressure } from "./backpressure.ts";
import type { Connection, EchoSocket } from "./connection.ts";
import { chooseDeflateOffer } from "./deflate-offer.ts";
import { chooseSubprotocol, type Refusal, readHandshake } from "./handshake.ts";

export interface Lifecycle {
  /** Answers a handshake. */
  upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void;
  /** Answers GET /echo that uWS does not take for a handshake. */
  readonly explain: HttpHandler;
  open(ws: EchoSocket): void;
  close(ws: EchoSocket, code: number): void;
  isOpen(ws: EchoSocket): boolean;
}

export interface LifecycleParts {
  readonly config: Pick<
    Config,
    | "trustProxy"
    | "maxConnectionsPerIp"
    | "handshakeRatePerIp"
    | "subprotocols"
    | "compression"
    | "maxLifetime"
  >;
  readonly stats: Stats;
  readonly admission: Admission;
  readonly backpressure: Backpressure;
  readonly reply: SendReply;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Every open connection, for shutdown. */
  readonly connections: Set<EchoSocket>;
  readonly onClosed: () => void;
}

/** Share of --max-lifetime by which a connection may end earlier, so that those of one burst do not end as one. */
const lifetimeJitter = 0.1;

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { config, stats, admission, backpressure, reply, log, now, connections } = parts;
  const trusts = trustNetworks(config.trustProxy);
  // Spelling out an address costs more than the rest of a handshake, so only if something asks for it.
  const needsAddress =
    config.maxConnectionsPerIp > 0 || config.handshakeRatePerIp > 0 || log.isLevelEnabled("debug");

  function refuse(res: HttpResponse, refusal: Refusal, isUpgrade: boolean, isHead = false): void {
    if (isUpgrade) {
      countRejection(stats, refusal.reason);
    }
    log.debug({ reason: refusal.reason, status: refusal.status }, "handshake refused");
    const { status, headers, body } = refusal;
    reply(res, "/echo", { status: status satisfies HttpCode, ...(headers && { headers }), body, isHead });
  }

  return {
    upgrade(res, req, context) {
      const headers = readHeaders(req);
      const asked = readHandshake(headers);
      if (asked.refusal !== undefined) {
        refuse(res, asked.refusal, true);
        return;
      }
      const address = needsAddress ? clientAddress(peerAddress(res), headers["x-forwarded-for"], trusts) : "";
      const refusal = admission.admit({ address, origin: headers["origin"] });
      if (refusal !== undefined) {
        refuse(res, refusal, true);
        return;
      }
      const connection: Connection = {
        address,
        openedAt: now(),
        buffered: 0,
        pressuredAt: 0,
        progressAt: 0,
        lifetime: undefined,
        allowance: undefined,
      };
      const subprotocol = chooseSubprotocol(asked.subprotocols, config.subprotocols);
      const extensions =
        config.compression === "off" ? "" : chooseDeflateOffer(asked.extensions, config.compression);
      res.upgrade(connection, asked.key, subprotocol, extensions, context);
    },

    explain(res, req) {
      const headers = readHeaders(req);
      const { refusal } = readHandshake(headers);
      const isUpgrade = headers["upgrade"] !== undefined;
      if (refusal !== undefined) {
        refuse(res, refusal, isUpgrade, req.getMethod() === "head");
      } else {
        reply(res, "/echo", { status: 400, body: "A WebSocket handshake is a GET request.\n", isHead: true });
      }
    },

    open(ws) {
      const connection = ws.getUserData();
      connections.add(ws);
      bump(stats, slot.connectionsOpened);
      stats[slot.connections] = connections.size;
      if (config.maxLifetime > 0) {
        const lifetimeMs = config.maxLifetime * (1 - Math.random() * lifetimeJitter);
        connection.lifetime = setTimeout(
          () => backpressure.closeGracefully(ws, 1001, "lifetime"),
          lifetimeMs,
        ).unref();
      }
      log.debug({ address: connection.address }, "connection opened");
    },

    close(ws, code) {
      const connection = ws.getUserData();
      clearTimeout(connection.lifetime);
      connections.delete(ws);
      backpressure.forget(ws);
      admission.release(connection.address);
      parts.onClosed();
      const seconds = (now() - connection.openedAt) / 1000;
      stats[slot.connections] = connections.size;
      countClose(stats, code);
      observe(stats, slot.connectionDuration, slot.connectionDurationSum, connectionDurationBounds, seconds);
      log.debug({ address: connection.address, code, seconds }, "connection closed");
    },

    isOpen: (ws) => connections.has(ws),
  };
}
