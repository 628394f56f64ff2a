// Owns the second opinion: the same contract on the `ws` package, which also speaks permessage-deflate.
// Must not know clocks, loops or histograms.

import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import type { Connection, ConnectionEvents, Ending, Endpoint, Engine } from "./connection.ts";
import {
  describeBadReply,
  endingOf,
  endingOfClose,
  endingOfFault,
  endingOfRefusal,
  handshakeTimedOut,
} from "./failure.ts";
import { opcodes, type ProtocolFault } from "./frame.ts";
import { at, ReplyChecker, stampSequence } from "./payload.ts";

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

export function createWsEngine(endpoint: Endpoint): Engine {
  return (index, localAddress, events) => {
    new WsConnection(endpoint, index, localAddress, events);
  };
}

class WsConnection implements Connection {
  readonly index: number;
  readonly #endpoint: Endpoint;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  readonly #checker: ReplyChecker;
  #isOpen = false;
  #ending: Ending | undefined;

  constructor(endpoint: Endpoint, index: number, localAddress: string | undefined, events: ConnectionEvents) {
    this.index = index;
    this.#endpoint = endpoint;
    this.#events = events;
    this.#checker = new ReplyChecker(endpoint.payloads, endpoint.type, endpoint.verify);
    const longest = Math.max(...endpoint.payloads.map((payload) => payload.length));
    this.#socket = new WebSocket(endpoint.url, [...endpoint.subprotocols], {
      headers: Object.fromEntries(endpoint.headers),
      perMessageDeflate: endpoint.deflate,
      handshakeTimeout: endpoint.timeoutMs,
      maxPayload: Math.max(messageLimitBytes, 2 * longest),
      skipUTF8Validation: true,
      rejectUnauthorized: !endpoint.insecure,
      ...(endpoint.origin === undefined ? {} : { origin: endpoint.origin }),
      ...(endpoint.caPem === undefined ? {} : { ca: endpoint.caPem }),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#listen();
  }

  send(sequence: number, count: number): void {
    const { payloads, verify, type } = this.#endpoint;
    for (let i = sequence; i < sequence + count; i += 1) {
      let payload = at(payloads, i);
      if (verify === "full") {
        // A copy of its own, since `ws` compresses later: slice() of a Buffer would be a view.
        payload = new Uint8Array(payload);
        stampSequence(payload, i);
      }
      this.#socket.send(payload, { binary: type === "binary" });
    }
  }

  isClogged(): boolean {
    return this.#socket.bufferedAmount > cloggedBytes;
  }

  close(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #listen(): void {
    this.#socket.on("open", () => {
      this.#isOpen = true;
      this.#events.onOpen(this);
    });
    this.#socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    this.#socket.on("unexpected-response", (_request, response) => this.#onRefusal(response));
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOfError(error, this.#isOpen, this.#endpoint);
    });
    this.#socket.on("close", (code, reason) => {
      const said = code === 1006 ? undefined : code;
      this.#events.onClosed(this.index, this.#ending ?? endingOfClose(said, reason.toString()));
    });
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#checker.piece(data, 0, data.length);
    const fault = this.#checker.finish(isBinary ? opcodes.binary : opcodes.text, data.length);
    if (fault === undefined) {
      this.#events.onReplies(this, 1);
    } else {
      const { kind, detail } = describeBadReply(fault);
      this.#events.onBadReply(this, kind, detail);
    }
  }

  /** With a listener for refusals, `ws` leaves the response and the end of the connection to us. */
  #onRefusal(response: IncomingMessage): void {
    let body = "";
    const end = (): void => {
      if (this.#ending === undefined) {
        this.#ending = endingOfRefusal(response.statusCode ?? 0, body);
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
