// Owns the second opinion: the same contract on the `ws` package, which also speaks permessage-deflate.
// Must not know clocks, loops or histograms.

import { WebSocket } from "ws";
import type { Connection, ConnectionEvents, Ending, Endpoint, Engine } from "../load/connection.ts";
import { OPCODE } from "../load/frame.ts";
import { at, ReplyChecker, stampSequence } from "../load/payload.ts";
import { endingOf, endingOfClose, type Stage } from "./failure.ts";

/** As in the raw engine. */
const CLOGGED_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

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
  #stage: Stage = "connecting";
  #ending: Ending | undefined;

  constructor(endpoint: Endpoint, index: number, localAddress: string | undefined, events: ConnectionEvents) {
    this.index = index;
    this.#endpoint = endpoint;
    this.#events = events;
    this.#checker = new ReplyChecker(endpoint.payloads, endpoint.type, endpoint.verify);
    this.#socket = new WebSocket(endpoint.url, [...endpoint.subprotocols], {
      headers: Object.fromEntries(endpoint.headers),
      perMessageDeflate: endpoint.deflate,
      handshakeTimeout: endpoint.timeoutMs,
      maxPayload: Math.max(MAX_MESSAGE_BYTES, 2 * Math.max(...endpoint.payloads.map((p) => p.length))),
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
        payload = payload.slice();
        stampSequence(payload, i);
      }
      this.#socket.send(payload, { binary: type === "binary" });
    }
  }

  isClogged(): boolean {
    return this.#socket.bufferedAmount > CLOGGED_BYTES;
  }

  close(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #listen(): void {
    const where = new URL(this.#endpoint.url).host;
    this.#socket.on("open", () => {
      this.#stage = "open";
      this.#events.onOpen(this);
    });
    this.#socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOf(error, this.#stage, where);
    });
    this.#socket.on("close", (code, reason) => {
      const said = code === 1006 ? undefined : code;
      this.#events.onClosed(this.index, this.#ending ?? endingOfClose(said, reason.toString()));
    });
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#checker.piece(data, 0, data.length);
    const fault = this.#checker.finish(isBinary ? OPCODE.binary : OPCODE.text, data.length);
    if (fault === undefined) {
      this.#events.onReplies(this, 1);
    } else {
      this.#events.onBadReply(this, fault, `a reply was not the message sent: ${fault.replace("-", " ")}`);
    }
  }
}
