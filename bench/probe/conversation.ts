// One WebSocket connection that a check drives: sends any frame, and returns arrivals one by one.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Ending, Endpoint } from "../engine/connection.ts";
import { endingOf, endingOfClose, endingOfFault, handshakeTimedOut, type Stage } from "../engine/failure.ts";
import {
  encodeMaskedFrame,
  FrameReader,
  type FrameSink,
  opcodes,
  type ProtocolFault,
} from "../engine/frame.ts";
import { createRequest, HandshakeResponse, type Head } from "../engine/handshake.ts";
import type { Route } from "../engine/route.ts";
import { connectSocket } from "../engine/socket.ts";

/** Where to connect, and the contents of the handshake. */
export type Target = Pick<
  Endpoint,
  "url" | "headers" | "subprotocols" | "origin" | "timeoutMs" | "templateLines"
> &
  Route & {
    /** Address of this machine to connect from; undefined to let the system choose. */
    readonly localAddress: string | undefined;
  };

/** An arrival. Pings are only answered and counted. */
export type Arrival =
  | { readonly kind: "message"; readonly opcode: number; readonly payload: Buffer }
  | { readonly kind: "pong"; readonly payload: Buffer }
  | { readonly kind: "end"; readonly ending: Ending };

/** An open connection, or why it did not open. */
export type Opening =
  | { readonly conversation: Conversation; readonly head: Head; readonly tookMs: number }
  | { readonly conversation?: never; readonly ending: Ending; readonly head: Head | undefined };

/** The contents of a close frame. */
export interface CloseFrame {
  /** 1005 when the frame has no code. */
  readonly code: number;
  readonly reason: string;
}

/** Maximum message size; checks send shorter ones. */
const messageLimitBytes = 300 * 1024 * 1024;
/** Timeout of the closing handshake at the end of a check. */
const leaveMs = 1000;

/** Connects and shakes hands. Never rejects. */
export function converse(target: Target): Promise<Opening> {
  return new Promise((resolve) => {
    new Conversation(target, resolve);
  });
}

export class Conversation implements FrameSink {
  /** Why the connection ended, once it has. */
  readonly ended: Promise<Ending>;
  #resolveEnded: (ending: Ending) => void = () => undefined;
  readonly #target: Target;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #arrivals: Arrival[] = [];
  #opened: ((opening: Opening) => void) | undefined;
  #response: HandshakeResponse | undefined;
  #stage: Stage = "connecting";
  #pieces: Buffer[] = [];
  #wake: (() => void) | undefined;
  #ending: Ending | undefined;
  #saidClose = false;
  #closeFrame: CloseFrame | undefined;
  #endedMs: number | undefined;
  #pings = 0;

  constructor(target: Target, opened: (opening: Opening) => void) {
    const { host, protocol } = new URL(target.url);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#target = target;
    this.#opened = opened;
    this.#frames = new FrameReader(this, messageLimitBytes);
    this.#socket = connectSocket(
      target,
      target.localAddress === undefined ? {} : { localAddress: target.localAddress },
      {
        onConnect: () => {
          this.#stage = protocol === "wss:" ? "securing" : this.#stage;
        },
        onReady: () => this.#sayHello(),
      },
    );
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#onData(chunk));
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOf(error, this.#stage, host);
    });
    this.#socket.on("end", () => {
      this.#ending ??= this.#stage === "handshaking" ? this.#response?.end() : undefined;
    });
    this.#socket.on("close", () => this.#onClose());
    this.#timer = setTimeout(() => {
      const said = this.#response?.head === undefined ? undefined : this.#response.end();
      this.#fail(said ?? handshakeTimedOut(host, this.#stage, target.timeoutMs));
    }, target.timeoutMs);
  }

  /** The socket underneath, for its addresses and its TLS. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Number of received pings. */
  get pings(): number {
    return this.#pings;
  }

  /** The received close frame, if any; the TCP connection may still be open. */
  get closeFrame(): CloseFrame | undefined {
    return this.#closeFrame;
  }

  /** When the connection ended, on the clock of `performance.now`. */
  get endedMs(): number | undefined {
    return this.#endedMs;
  }

  /** Sends one frame, the last of its message unless `isFinal` is false. */
  send(opcode: number, payload: Uint8Array, isFinal = true): void {
    const frame = encodeMaskedFrame(opcode, payload, randomBytes(4));
    if (!isFinal) {
      frame[0] = opcode;
    }
    this.#socket.write(frame);
  }

  sendClose(code: number | undefined, reason = ""): void {
    this.#saidClose = true;
    const head = code === undefined ? [] : [code >> 8, code & 0xff];
    this.send(opcodes.close, Buffer.concat([Buffer.from(head), Buffer.from(reason)]));
  }

  /** The next arrival, or undefined after `timeoutMs`. After the end, every call returns it. */
  async next(timeoutMs: number): Promise<Arrival | undefined> {
    const [first] = this.#arrivals;
    if (first === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, timeoutMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const [arrival] = this.#arrivals;
    return arrival?.kind === "end" ? arrival : this.#arrivals.shift();
  }

  /** Drops all arrivals except the end. */
  clear(): void {
    const end = this.#arrivals.find(({ kind }) => kind === "end");
    this.#arrivals.length = 0;
    if (end !== undefined) {
      this.#arrivals.push(end);
    }
  }

  /** Closes with 1000, and destroys the socket if there is no answer in time. */
  leave(): void {
    if (this.#endedMs === undefined && !this.#saidClose) {
      this.sendClose(1000);
    }
    const timer = setTimeout(() => this.#socket.destroy(), leaveMs);
    this.#socket.once("close", () => clearTimeout(timer));
    if (this.#socket.destroyed) {
      clearTimeout(timer);
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onPayload(chunk: Uint8Array, start: number, end: number): void {
    this.#pieces.push(Buffer.from(chunk.subarray(start, end)));
  }

  onMessage(opcode: number): void {
    const payload = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#arrive({ kind: "message", opcode, payload });
  }

  onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === opcodes.ping) {
      this.#pings += 1;
      this.send(opcodes.pong, payload);
    } else if (opcode === opcodes.pong) {
      this.#arrive({ kind: "pong", payload: Buffer.from(payload) });
    } else {
      this.#onCloseFrame(payload);
    }
  }

  onProtocolFault(fault: ProtocolFault): void {
    this.#ending ??= endingOfFault(fault);
    this.#socket.destroy();
  }

  #onCloseFrame(payload: Uint8Array): void {
    const code = payload.length < 2 ? 1005 : (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
    const reason = Buffer.from(payload.subarray(2)).toString();
    this.#closeFrame = { code, reason };
    this.#frames.stop();
    this.#ending ??= endingOfClose(code, reason);
    if (!this.#saidClose) {
      this.sendClose(code === 1005 ? undefined : code);
      this.#socket.end();
    }
  }

  #sayHello(): void {
    const { key, bytes } = createRequest(this.#target);
    this.#stage = "handshaking";
    this.#response = new HandshakeResponse(key, this.#target.subprotocols);
    this.#socket.write(bytes);
  }

  #onData(chunk: Buffer): void {
    if (this.#response === undefined || this.#stage === "open") {
      this.#frames.push(chunk, 0, chunk.length);
      return;
    }
    const outcome = this.#response.push(chunk);
    const { head } = this.#response;
    if (outcome !== undefined && "rest" in outcome && head !== undefined) {
      this.#stage = "open";
      clearTimeout(this.#timer);
      this.#settle({ conversation: this, head, tookMs: performance.now() - this.#startedMs });
      this.#frames.push(outcome.rest, 0, outcome.rest.length);
    } else if (outcome !== undefined && !("rest" in outcome)) {
      this.#fail(outcome);
    }
  }

  #fail(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  #onClose(): void {
    clearTimeout(this.#timer);
    this.#endedMs = performance.now();
    const ending = this.#ending ?? this.#endingWithoutWords();
    if (this.#opened !== undefined) {
      this.#settle({ ending, head: this.#response?.head });
    } else {
      this.#arrive({ kind: "end", ending });
    }
    this.#resolveEnded(ending);
  }

  #endingWithoutWords(): Ending {
    return this.#stage === "securing"
      ? {
          kind: "tls-failed",
          detail: `${new URL(this.#target.url).host} ended the connection during the TLS handshake`,
        }
      : endingOfClose(undefined, "");
  }

  #settle(opening: Opening): void {
    this.#opened?.(opening);
    this.#opened = undefined;
  }

  #arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#wake?.();
  }
}
