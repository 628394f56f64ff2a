// Answers the opening handshake of a WebSocket connection with 101 or a refusal. Slow path.
import type { HttpRequest, HttpResponse, us_socket_context_t } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { clientAddress, type TrustsAddress, trustNetworks } from "../http/client-address.ts";
import { peerAddress, type RequestHeaders, readHeaders } from "../http/headers.ts";
import type { SendReply } from "../http/reply.ts";
import { countRejection, type Route, type Stats } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import type { Admission } from "./admission.ts";
import type { Connection, SocketData } from "./connection.ts";
import { chooseDeflateOffer } from "./deflate-offer.ts";
import { type Asked, chooseSubprotocol, readHandshake } from "./handshake.ts";
import type { Refusal } from "./refusals.ts";

/** An admitted handshake, whose connection is counted. */
export interface Admitted {
  readonly headers: RequestHeaders;
  readonly asked: Asked;
  readonly address: string;
}

/** How a handshake is accepted. Omitted parts follow the options. */
export interface Acceptance {
  readonly subprotocol?: string;
  readonly declinesExtensions?: boolean;
  /** A key other than the client's, for a wrong response. */
  readonly key?: string;
  /** Additional headers of the 101. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Additional properties of the connection. */
  readonly properties?: object;
}

/** The negotiated sub-protocol and extension; empty if none. */
export interface Negotiated {
  readonly subprotocol: string;
  readonly extensions: string;
}

export interface UpgradeParts {
  readonly config: Pick<
    Config,
    "trustProxy" | "instance" | "maxConnectionsPerIp" | "handshakeRatePerIp" | "subprotocols" | "compression"
  >;
  readonly stats: Stats;
  readonly admission: Admission;
  readonly reply: SendReply;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export class Upgrade {
  readonly #parts: UpgradeParts;
  readonly #trusts: TrustsAddress;
  readonly #needsAddress: boolean;

  constructor(parts: UpgradeParts) {
    const { config, log } = parts;
    this.#parts = parts;
    this.#trusts = trustNetworks(config.trustProxy);
    // Formatting an address costs more than the rest of a handshake, so it is read only if needed.
    this.#needsAddress =
      config.maxConnectionsPerIp > 0 || config.handshakeRatePerIp > 0 || log.isLevelEnabled("debug");
  }

  /** Answers a handshake at once. */
  upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const admitted = this.admit(res, req, "/echo");
    if (admitted !== undefined) {
      this.accept(res, admitted, context);
    }
  }

  /**
   * The first half of a handshake: refuses it with an HTTP response, or counts its connection.
   * @param check the endpoint's own check, which may refuse it
   */
  admit(
    res: HttpResponse,
    req: HttpRequest,
    route: Route,
    check?: (headers: RequestHeaders, asked: Asked) => Refusal | undefined,
  ): Admitted | undefined {
    const headers = readHeaders(req);
    const asked = readHandshake(headers);
    if (asked.refusal !== undefined) {
      this.#refuse(res, asked.refusal, route);
      return undefined;
    }
    const address = this.#needsAddress
      ? clientAddress(peerAddress(res), headers["x-forwarded-for"], this.#trusts)
      : "";
    const refusal =
      check?.(headers, asked) ?? this.#parts.admission.admit({ address, origin: headers["origin"] });
    if (refusal !== undefined) {
      this.#refuse(res, refusal, route);
      return undefined;
    }
    return { headers, asked, address };
  }

  /** Negotiates what `accept` will answer. */
  negotiate({ asked }: Admitted, choice: Acceptance): Negotiated {
    const { subprotocols, compression } = this.#parts.config;
    return {
      subprotocol: choice.subprotocol ?? chooseSubprotocol(asked.subprotocols, subprotocols),
      extensions:
        compression === "off" || choice.declinesExtensions === true
          ? ""
          : chooseDeflateOffer(asked.extensions, compression),
    };
  }

  /** The second half: answers 101. */
  accept(res: HttpResponse, admitted: Admitted, context: us_socket_context_t, choice: Acceptance = {}): void {
    const connection: Connection = {
      address: admitted.address,
      openedAt: this.#parts.now(),
      buffered: 0,
      pressuredAt: 0,
      progressAt: 0,
      lifetime: undefined,
      allowance: undefined,
    };
    const { subprotocol, extensions } = this.negotiate(admitted, choice);
    const { instance } = this.#parts.config;
    if (instance !== "none" || choice.headers !== undefined) {
      res.writeStatus("101 Switching Protocols");
    }
    if (instance !== "none") {
      res.writeHeader("Uws-Echo-Instance", instance);
    }
    for (const name in choice.headers) {
      res.writeHeader(name, choice.headers[name] ?? "");
    }
    if (choice.properties !== undefined) {
      Object.assign(connection, choice.properties);
    }
    const data: SocketData = { connection };
    res.upgrade(data, choice.key ?? admitted.asked.key, subprotocol, extensions, context);
  }

  /**
   * The second half, after a delay. Releases the connection's place if the client disconnects or the server drains in the
   * meantime.
   * @param onGone called if there will be no connection
   */
  acceptLater(
    res: HttpResponse,
    admitted: Admitted,
    context: us_socket_context_t,
    { delayMs, ...choice }: Acceptance & { readonly delayMs: number },
    onGone: () => void,
  ): void {
    const { admission } = this.#parts;
    let isHeld = true;
    const giveUp = (): void => {
      if (isHeld) {
        isHeld = false;
        admission.release(admitted.address);
        onGone();
      }
    };
    const timer = setTimeout(() => {
      res.cork(() => {
        const refusal = admission.refusalOfDraining();
        if (refusal === undefined) {
          isHeld = false;
          this.accept(res, admitted, context, choice);
        } else {
          giveUp();
          this.#refuse(res, refusal, "on_demand");
        }
      });
    }, delayMs).unref();
    res.onAborted(() => {
      clearTimeout(timer);
      giveUp();
    });
  }

  /** Answers a GET or HEAD that uWS does not treat as a handshake. */
  explain(res: HttpResponse, req: HttpRequest, route: Route): void {
    const headers = readHeaders(req);
    const { refusal } = readHandshake(headers);
    if (refusal !== undefined) {
      this.#refuse(res, refusal, route, headers["upgrade"] !== undefined, req.getMethod() === "head");
    } else {
      const body = "A WebSocket handshake is a GET request.\n";
      this.#parts.reply(res, route, { status: 400, body, isHead: true });
    }
  }

  #refuse(res: HttpResponse, refusal: Refusal, route: Route, isUpgrade = true, isHead = false): void {
    const { stats, log, reply } = this.#parts;
    if (isUpgrade) {
      countRejection(stats, refusal.reason);
    }
    log.debug({ reason: refusal.reason, status: refusal.status }, "handshake refused");
    const { status, headers, body } = refusal;
    if (status === 0) {
      res.close();
      return;
    }
    reply(res, route, { status, ...(headers && { headers }), body, isHead });
  }
}
