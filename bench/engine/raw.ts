// The cheapest engine: pre-built frames on bare sockets, all reads into one reused buffer.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Connection, ConnectionEvents, Ending, Endpoint, Engine, WireBytes } from "./connection.ts";
import {
  describeBadReply,
  endingOf,
  endingOfClose,
  endingOfFault,
  firstExchangeTimedOut,
  handshakeTimedOut,
  type Stage,
} from "./failure.ts";
import { FirstExchange } from "./first-exchange.ts";
import { encodeMaskedFrame, FrameReader, type FrameSink, opcodes, type ProtocolFault } from "./frame.ts";
import { createRequest, HandshakeResponse } from "./handshake.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { FrameTape, opcodeOf } from "./payload.ts";
import { ReplyChecker } from "./reply-checker.ts";
import { connectSocket } from "./socket.ts";
import { type Numbering, personalise, wholeRun } from "./template.ts";

/** One read buffer for all connections of a thread: its content is processed before the next read. */
const readBufferBytes = 256 * 1024;

/** With more unwritten bytes than this in user space, the target does not keep up. */
const cloggedBytes = 1024 * 1024;

/** A message longer than this, or than twice the longest we send, is not an echo. */
const messageLimitBytes = 16 * 1024 * 1024;

/** The shared state of one thread's connections. */
interface Shared {
  readonly endpoint: Endpoint;
  readonly personal: ReturnType<typeof personalise>;
  readonly isSecure: boolean;
  readonly where: string;
  readonly tape: FrameTape;
  readonly readBuffer: Buffer;
  /** One for all, as in FrameTape. */
  readonly maskKey: Buffer;
  readonly maxMessageBytes: number;
  /** How a slow reader reads: so much at a time, and so much per second. */
  readonly slow: { readonly buffer: Buffer; readonly bytesPerSecond: number } | undefined;
}

export function createRawEngine(endpoint: Endpoint, numbering: Numbering = wholeRun): Engine {
  const url = new URL(endpoint.url);
  const longest = Math.max(0, ...endpoint.payloads.map((payload) => payload.length));
  const shared: Shared = {
    endpoint,
    personal: personalise(endpoint, numbering),
    isSecure: url.protocol === "wss:",
    where: url.host,
    tape: new FrameTape(endpoint.payloads, endpoint.type, endpoint.verify === "full"),
    readBuffer: Buffer.allocUnsafe(readBufferBytes),
    maskKey: randomBytes(4),
    maxMessageBytes: Math.max(messageLimitBytes, 2 * longest),
    slow: slowReading(endpoint.readBytesPerSecond),
  };
  return (index, localAddress, events) => new RawConnection(shared, index, localAddress, events);
}

/** A reader of nothing still tries a byte per second: an end of the connection shows in no other way. */
function slowReading(bytesPerSecond: number | undefined): Shared["slow"] {
  if (bytesPerSecond === undefined) {
    return undefined;
  }
  const bufferBytes = Math.min(64 * 1024, Math.max(1, Math.ceil(bytesPerSecond / 10)));
  return { buffer: Buffer.allocUnsafe(bufferBytes), bytesPerSecond: Math.max(1, bytesPerSecond) };
}

class RawConnection implements Connection, FrameSink {
  readonly index: number;
  readonly isCompressed = false;
  readonly #shared: Shared;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #checker: ReplyChecker;
  readonly #tape: FrameTape;
  readonly #checksBytes: boolean;
  /** Undefined where messages are only counted. */
  readonly #content: MessageBuffer | undefined;
  #response: HandshakeResponse | undefined;
  /** Undefined once it is over, or without a first message. */
  #exchange: FirstExchange | undefined;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #stage: Stage = "connecting";
  #ending: Ending | undefined;
  #saidClose = false;
  /** Acceptable replies of the current read that have not been passed on yet. */
  #replies = 0;
  /** Messages handed to us, and those of them that have been written. */
  #sentCount = 0;
  #writtenCount = 0;
  /** A slow reader: when it may read again, and what wakes it. */
  #mayReadMs = 0;
  #readTimer: NodeJS.Timeout | undefined;

  constructor(shared: Shared, index: number, localAddress: string | undefined, events: ConnectionEvents) {
    const { endpoint } = shared;
    this.index = index;
    this.#shared = shared;
    this.#events = events;
    this.#tape = shared.tape;
    this.#checksBytes = endpoint.verify === "full";
    this.#content = endpoint.passesContent === true ? new MessageBuffer() : undefined;
    this.#frames = new FrameReader(this, shared.maxMessageBytes);
    this.#checker = new ReplyChecker(endpoint.payloads, endpoint.type, endpoint.verify);
    this.#socket = this.#connect(localAddress);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOf(error, this.#stage, shared.where);
    });
    this.#socket.on("end", () => this.#onEnd());
    this.#socket.on("close", () => this.#onClose());
    this.#handshakeTimer = setTimeout(() => this.#onHandshakeTimeout(), endpoint.timeoutMs);
  }

  send(_sequence: number, count: number): void {
    const isWaiting = this.#writtenCount < this.#sentCount;
    this.#sentCount += count;
    if (!isWaiting) {
      this.#writeSent();
    }
  }

  sendContent(content: Uint8Array): void {
    this.#socket.write(
      encodeMaskedFrame(opcodeOf(this.#shared.endpoint.type), content, this.#shared.maskKey),
    );
  }

  ping(payload: Uint8Array): void {
    this.#socket.write(encodeMaskedFrame(opcodes.ping, payload, randomBytes(4)));
  }

  isClogged(): boolean {
    return this.#socket.writableLength > cloggedBytes || this.#writtenCount < this.#sentCount;
  }

  wireBytes(): WireBytes {
    return { sent: this.#socket.bytesWritten, received: this.#socket.bytesRead };
  }

  close(): void {
    this.#sayClose(1000);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Stamped frames are copies, so no more of them are made than the socket takes; the others cost nothing to queue. */
  readonly #writeSent = (): void => {
    const { maxBatch } = this.#tape;
    while (this.#writtenCount < this.#sentCount) {
      if (this.#checksBytes && this.#socket.writableLength > cloggedBytes) {
        this.#socket.once("drain", this.#writeSent);
        return;
      }
      const count = Math.min(maxBatch, this.#sentCount - this.#writtenCount);
      const batch = this.#tape.batch(this.#writtenCount, count);
      this.#writtenCount += count;
      this.#socket.write(batch);
    }
  };

  onPayload(chunk: Uint8Array, start: number, end: number): void {
    if (this.#exchange !== undefined) {
      return;
    }
    if (this.#checksBytes) {
      this.#checker.piece(chunk, start, end);
    }
    this.#content?.piece(chunk, start, end);
  }

  onMessage(opcode: number, payloadBytes: number): void {
    if (this.#exchange !== undefined) {
      this.#exchange.onMessage();
      this.#openIf(this.#exchange.isAnswered);
      return;
    }
    if (this.#content !== undefined) {
      this.#events.onMessage(this, this.#content.take());
      return;
    }
    const fault = this.#checker.finish(opcode, payloadBytes, this.#sentCount);
    if (fault === undefined) {
      if (this.#checker.skipped > 0) {
        this.#passReplies();
        this.#events.onMissing(this, this.#checker.skipped);
      }
      this.#replies += 1;
      return;
    }
    this.#passReplies();
    const { kind, detail, isUnasked } = describeBadReply(fault);
    if (isUnasked) {
      this.#events.onUnasked(this, kind, detail);
    } else {
      this.#events.onBadReply(this, kind, detail);
    }
  }

  onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === opcodes.ping) {
      this.#socket.write(encodeMaskedFrame(opcodes.pong, payload, randomBytes(4)));
    } else if (opcode === opcodes.pong && this.#exchange !== undefined) {
      this.#openIf(this.#exchange.isEndedBy(payload));
    } else if (opcode === opcodes.pong) {
      this.#events.onPong(this, payload);
    } else if (opcode === opcodes.close) {
      this.#passReplies();
      this.#frames.stop();
      const code = payload.length < 2 ? 1005 : (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
      this.#ending ??= endingOfClose(code, Buffer.from(payload.subarray(2)).toString());
      this.#sayClose(code === 1005 ? 1000 : code);
      this.#socket.end();
      if (this.#stage === "open") {
        this.#events.onEnding(this);
      }
    }
  }

  onProtocolFault(fault: ProtocolFault): void {
    this.#passReplies();
    this.#ending ??= endingOfFault(fault);
    this.#sayClose(1002);
    this.#socket.destroySoon();
  }

  #connect(localAddress: string | undefined): Socket {
    const { endpoint, isSecure, readBuffer, slow } = this.#shared;
    return connectSocket(
      endpoint,
      {
        onread: {
          buffer: slow === undefined ? readBuffer : () => this.#slowBuffer(slow.buffer),
          callback: (bytes: number, buffer: Uint8Array): boolean => this.#onRead(bytes, buffer),
        },
        ...(localAddress === undefined ? {} : { localAddress }),
      },
      {
        onConnect: () => {
          this.#stage = isSecure ? "securing" : this.#stage;
          this.#events.onStage(this.index, "connected");
        },
        onReady: () => {
          if (isSecure) {
            this.#events.onStage(this.index, "secured");
          }
          this.#sayHello();
        },
      },
    );
  }

  #sayHello(): void {
    const { endpoint, personal } = this.#shared;
    const own = personal(this.index);
    const request = createRequest({ ...endpoint, ...own });
    this.#exchange = own.firstMessage && new FirstExchange(own.firstMessage);
    this.#stage = "handshaking";
    this.#response = new HandshakeResponse(request.key, endpoint.subprotocols);
    this.#socket.write(request.bytes);
  }

  #onRead(bytes: number, buffer: Uint8Array): boolean {
    if (this.#response === undefined) {
      this.#frames.push(buffer, 0, bytes);
      this.#content?.keep();
      this.#passReplies();
      const { slow } = this.#shared;
      return slow === undefined || this.#stage !== "open" || this.#mayReadOn(bytes, slow.bytesPerSecond);
    }
    const outcome = this.#response.push(buffer.subarray(0, bytes));
    if (outcome !== undefined && "rest" in outcome) {
      this.#response = undefined;
      this.#beginExchange();
      this.#frames.push(outcome.rest, 0, outcome.rest.length);
      this.#content?.keep();
      this.#passReplies();
    } else if (outcome !== undefined) {
      this.#fail(outcome);
    }
    return true;
  }

  #beginExchange(): void {
    const { maskKey } = this.#shared;
    this.#stage = "greeting";
    if (this.#exchange !== undefined) {
      const { text, ping } = this.#exchange;
      this.#socket.write(encodeMaskedFrame(opcodes.text, Buffer.from(text), maskKey));
      if (ping !== undefined) {
        this.ping(ping);
      }
    }
    this.#openIf(this.#exchange?.isAnswered ?? true);
  }

  #openIf(isReady: boolean): void {
    if (isReady) {
      this.#exchange = undefined;
      this.#stage = "open";
      clearTimeout(this.#handshakeTimer);
      this.#events.onOpen(this);
    }
  }

  /** The handshake and the first exchange are read as by everyone. */
  #slowBuffer(slow: Buffer): Buffer {
    return this.#stage === "open" ? slow : this.#shared.readBuffer;
  }

  /** Whether a slow reader may go on at once; otherwise it does when its time has come. */
  #mayReadOn(bytes: number, bytesPerSecond: number): boolean {
    const nowMs = performance.now();
    this.#mayReadMs = Math.max(nowMs, this.#mayReadMs) + (1000 * bytes) / bytesPerSecond;
    const waitMs = this.#mayReadMs - nowMs;
    if (waitMs < 1) {
      return true;
    }
    this.#readTimer = setTimeout(() => this.#socket.resume(), waitMs);
    return false;
  }

  #passReplies(): void {
    const count = this.#replies;
    if (count > 0) {
      this.#replies = 0;
      this.#events.onReplies(this, count);
    }
  }

  #sayClose(code: number): void {
    if (!this.#saidClose && (this.#stage === "open" || this.#stage === "greeting")) {
      this.#saidClose = true;
      this.#socket.write(
        encodeMaskedFrame(opcodes.close, Buffer.from([code >> 8, code & 0xff]), randomBytes(4)),
      );
    }
  }

  #fail(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.destroy();
  }

  #onHandshakeTimeout(): void {
    const { where, endpoint } = this.#shared;
    if (this.#stage === "greeting" && this.#exchange !== undefined) {
      this.#fail(firstExchangeTimedOut(where, this.#exchange.missing, endpoint.timeoutMs));
      return;
    }
    const said = this.#response?.end();
    const hasStatus = said?.kind === "handshake-refused";
    this.#fail(hasStatus ? said : handshakeTimedOut(where, this.#stage, endpoint.timeoutMs));
  }

  #onEnd(): void {
    this.#ending ??= this.#response === undefined ? undefined : this.#response.end();
  }

  #onClose(): void {
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#readTimer);
    this.#events.onClosed(this.index, this.#ending ?? this.#endingWithoutWords());
  }

  #endingWithoutWords(): Ending {
    return this.#stage === "securing"
      ? { kind: "tls-failed", detail: `${this.#shared.where} ended the connection during the TLS handshake` }
      : endingOfClose(undefined, "");
  }
}
