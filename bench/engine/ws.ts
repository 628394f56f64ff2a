// The second engine, on the `ws` package: an independent opinion.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Connection, ConnectionEvents, Ending, Endpoint, Engine, WireBytes } from "./connection.ts";
import {
  describeBadReply,
  endingOf,
  endingOfClose,
  endingOfFault,
  endingOfRefusal,
  firstExchangeTimedOut,
  handshakeTimedOut,
} from "./failure.ts";
import { FirstExchange } from "./first-exchange.ts";
import { opcodes, type ProtocolFault } from "./frame.ts";
import { at, stampSequence } from "./payload.ts";
import { ReplyChecker } from "./reply-checker.ts";
import { routeOptions } from "./route.ts";
import { type Numbering, personalise, wholeRun } from "./template.ts";

/** As in the raw engine. */
const cloggedBytes = 1024 * 1024;
const messageLimitBytes = 16 * 1024 * 1024;

/** What the raw engine calls the errors of `ws`, so that both count the same kinds. */
const faultOfCode = new Map<string, ProtocolFault>([
  ["WS_ERR_UNEXPECTED_MASK", "masked-frame"],
  ["WS_ERR_UNEXPECTED_RSV_1", "reserved-bits"],
  ["WS_ERR_UNEXPECTED_RSV_2_3", "reserved-bits"],
  ["WS_ERR_INVALID_OPCODE", "unknown-opcode"],
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "oversized-message"],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", "oversized-message"],
  ["WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", "control-frame-too-long"],
  ["WS_ERR_EXPECTED_FIN", "fragmented-control-frame"],
]);

export function createWsEngine(endpoint: Endpoint, numbering: Numbering = wholeRun): Engine {
  const personal = personalise(endpoint, numbering);
  return (index, localAddress, events) => {
    new WsConnection({ ...endpoint, ...personal(index) }, index, localAddress, events);
  };
}

class WsConnection implements Connection {
  readonly index: number;
  readonly #endpoint: Endpoint;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  readonly #checker: ReplyChecker;
  #isOpen = false;
  readonly #startMs = performance.now();
  /** Undefined once it is over, or without a first message. */
  #exchange: FirstExchange | undefined;
  #exchangeTimer: NodeJS.Timeout | undefined;
  #ending: Ending | undefined;
  /** The socket underneath. */
  #wire: Socket | undefined;
  /** Messages handed to us, and those of them that `ws` has. */
  #sentCount = 0;
  #passedCount = 0;

  constructor(endpoint: Endpoint, index: number, localAddress: string | undefined, events: ConnectionEvents) {
    this.index = index;
    this.#endpoint = endpoint;
    this.#events = events;
    this.#checker = new ReplyChecker(endpoint.payloads, endpoint.type, endpoint.verify);
    const longest = Math.max(0, ...endpoint.payloads.map((payload) => payload.length));
    this.#socket = new WebSocket(endpoint.url, [...endpoint.subprotocols], {
      headers: groupByName(endpoint.headers),
      perMessageDeflate: endpoint.deflate,
      handshakeTimeout: endpoint.timeoutMs,
      maxPayload: Math.max(messageLimitBytes, 2 * longest),
      skipUTF8Validation: true,
      finishRequest: (request) => this.#onRequest(request),
      ...(endpoint.origin === undefined ? {} : { origin: endpoint.origin }),
      ...routeOptions(endpoint),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#listen();
  }

  get isCompressed(): boolean {
    return this.#socket.extensions.includes("permessage-deflate");
  }

  send(_sequence: number, count: number): void {
    const isWaiting = this.#passedCount < this.#sentCount;
    this.#sentCount += count;
    if (!isWaiting) {
      this.#passSent();
    }
  }

  sendContent(content: Uint8Array): void {
    // A copy, since `ws` compresses later.
    this.#socket.send(Buffer.from(content), { binary: this.#endpoint.type === "binary" });
  }

  ping(payload: Uint8Array): void {
    this.#socket.ping(payload);
  }

  isClogged(): boolean {
    return this.#socket.bufferedAmount > cloggedBytes || this.#passedCount < this.#sentCount;
  }

  wireBytes(): WireBytes {
    return { sent: this.#wire?.bytesWritten ?? 0, received: this.#wire?.bytesRead ?? 0 };
  }

  close(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  /** `ws` copies each message to mask it, so it gets no more than the socket takes. */
  readonly #passSent = (): void => {
    const { payloads, verify, type } = this.#endpoint;
    const options = { binary: type === "binary" };
    while (this.#passedCount < this.#sentCount && this.#socket.readyState === WebSocket.OPEN) {
      const isFull = this.#socket.bufferedAmount > cloggedBytes;
      let payload = at(payloads, this.#passedCount);
      if (verify === "full") {
        // A copy of its own, since `ws` compresses later: slice() of a Buffer would be a view.
        payload = new Uint8Array(payload);
        stampSequence(payload, this.#passedCount);
      }
      this.#passedCount += 1;
      if (isFull) {
        this.#socket.send(payload, options, this.#passSent);
        return;
      }
      this.#socket.send(payload, options);
    }
  };

  #onRequest(request: ClientRequest): void {
    request.once("socket", (socket) => {
      this.#wire = socket;
      socket.once("connect", () => this.#events.onStage(this.index, "connected"));
      socket.once("secureConnect", () => this.#events.onStage(this.index, "secured"));
    });
    request.end();
  }

  #listen(): void {
    this.#socket.on("open", () => {
      this.#isOpen = true;
      this.#beginExchange();
    });
    this.#socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    this.#socket.on("pong", (payload) => this.#onPong(payload));
    this.#socket.on("unexpected-response", (_request, response) => this.#onRefusal(response));
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOfError(error, this.#isOpen, this.#endpoint);
    });
    this.#socket.on("close", (code, reason) => {
      clearTimeout(this.#exchangeTimer);
      const said = code === 1006 ? undefined : code;
      this.#events.onClosed(this.index, this.#ending ?? endingOfClose(said, reason.toString()));
    });
  }

  #beginExchange(): void {
    const { firstMessage, timeoutMs, url } = this.#endpoint;
    if (firstMessage !== undefined) {
      const exchange = new FirstExchange(firstMessage);
      this.#exchange = exchange;
      this.#socket.send(exchange.text, { binary: false });
      if (exchange.ping !== undefined) {
        this.#socket.ping(exchange.ping);
      }
      this.#exchangeTimer = setTimeout(
        () => {
          this.#ending ??= firstExchangeTimedOut(new URL(url).host, exchange.missing, timeoutMs);
          this.#socket.terminate();
        },
        this.#startMs + timeoutMs - performance.now(),
      );
    }
    this.#openIf(this.#exchange?.isAnswered ?? true);
  }

  #openIf(isReady: boolean): void {
    if (isReady) {
      this.#exchange = undefined;
      clearTimeout(this.#exchangeTimer);
      this.#events.onOpen(this);
    }
  }

  #onPong(payload: Buffer): void {
    if (this.#exchange === undefined) {
      this.#events.onPong(this, payload);
    } else {
      this.#openIf(this.#exchange.isEndedBy(payload));
    }
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#exchange !== undefined) {
      this.#exchange.onMessage();
      this.#openIf(this.#exchange.isAnswered);
      return;
    }
    if (this.#endpoint.passesContent === true) {
      this.#events.onMessage(this, data);
      return;
    }
    this.#checker.piece(data, 0, data.length);
    const opcode = isBinary ? opcodes.binary : opcodes.text;
    const fault = this.#checker.finish(opcode, data.length, this.#sentCount);
    if (fault === undefined) {
      if (this.#checker.skipped > 0) {
        this.#events.onMissing(this, this.#checker.skipped);
      }
      this.#events.onReplies(this, 1);
      return;
    }
    const { kind, detail, isUnasked } = describeBadReply(fault);
    if (isUnasked) {
      this.#events.onUnasked(this, kind, detail);
    } else {
      this.#events.onBadReply(this, kind, detail);
    }
  }

  /** With a listener for refusals, `ws` leaves the response and the end of the connection to us. */
  #onRefusal(response: IncomingMessage): void {
    let body = "";
    const end = (): void => {
      if (this.#ending === undefined) {
        this.#ending = endingOfRefusal(response.statusCode ?? 0, body, response.headers["retry-after"]);
        this.#socket.terminate();
      }
    };
    response.on("data", (chunk: Buffer) => {
      body += chunk.toString();
      if (body.includes("\n")) {
        end();
      }
    });
    response.once("end", end);
    response.once("error", end);
  }
}

/** As Node takes them: a name that is there several times has a list of values. */
function groupByName(headers: Endpoint["headers"]): Record<string, string[]> {
  const grouped = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of headers) {
    const group = grouped.get(name.toLowerCase()) ?? { name, values: [] };
    group.values.push(value);
    grouped.set(name.toLowerCase(), group);
  }
  return Object.fromEntries([...grouped.values()].map(({ name, values }) => [name, values]));
}

function endingOfError(error: Error, isOpen: boolean, endpoint: Endpoint): Ending {
  const { host, protocol } = new URL(endpoint.url);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const fault = faultOfCode.get(code ?? "");
  if (fault !== undefined) {
    return endingOfFault(fault);
  }
  if (isOpen) {
    return code?.startsWith("WS_ERR_") === true
      ? { kind: "protocol-other", detail: `the target broke RFC 6455: ${error.message}` }
      : endingOf(error, "open", host);
  }
  if (error.message === "Opening handshake has timed out") {
    return handshakeTimedOut(host, "handshaking", endpoint.timeoutMs);
  }
  if (error instanceof AggregateError || syscall === "connect" || syscall === "getaddrinfo") {
    return endingOf(error, "connecting", host);
  }
  if (protocol === "wss:" && code !== undefined && code !== "ECONNRESET") {
    return endingOf(error, "securing", host);
  }
  return { kind: "handshake-invalid", detail: error.message };
}
