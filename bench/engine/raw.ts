// The cheapest engine: pre-built frames on bare sockets, all reads into one reused buffer.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Connection, ConnectionEvents, Ending, Endpoint, Engine, WireBytes } from "./connection.ts";
import { type Compression, deflateMessage, type Inflater } from "./deflate.ts";
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
import {
  compressedBit,
  encodeMaskedFrame,
  FrameReader,
  type FrameSink,
  opcodes,
  type ProtocolFault,
} from "./frame.ts";
import { createRequest, HandshakeResponse } from "./handshake.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { type FrameTape, opcodeOf, type ReplyFault } from "./payload.ts";
import { createShared, type Shared } from "./raw-shared.ts";
import { ReadLimit } from "./read-limit.ts";
import { ReplyChecker } from "./reply-checker.ts";
import { connectSocket } from "./socket.ts";
import { type Numbering, wholeRun } from "./template.ts";

/** With more unwritten bytes than this in user space, the target does not keep up. */
const cloggedBytes = 1024 * 1024;

export function createRawEngine(endpoint: Endpoint, numbering: Numbering = wholeRun): Engine {
  const shared = createShared(endpoint, numbering);
  return (index, localAddress, events) => new RawConnection(shared, index, localAddress, events);
}

class RawConnection implements Connection, FrameSink {
  readonly index: number;
  readonly #shared: Shared;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #checker: ReplyChecker;
  #tape: FrameTape;
  readonly #isStamped: boolean;
  /** Replies are checked piece by piece, as they arrive. */
  #checksPieces: boolean;
  /** Undefined where messages are only counted, or checked in pieces. */
  #content: MessageBuffer | undefined;
  #compression: Compression | undefined;
  /** Undefined where nothing is compressed, or compressed messages are only counted. */
  #inflater: Inflater | undefined;
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
  readonly #readLimit: ReadLimit | undefined;

  constructor(shared: Shared, index: number, localAddress: string | undefined, events: ConnectionEvents) {
    const { endpoint } = shared;
    this.index = index;
    this.#shared = shared;
    this.#events = events;
    this.#tape = shared.tape;
    this.#isStamped = endpoint.verify === "full";
    this.#checksPieces = this.#isStamped;
    this.#content = endpoint.passesContent === true ? new MessageBuffer() : undefined;
    this.#frames = new FrameReader(this, shared.maxMessageBytes);
    this.#checker = new ReplyChecker(endpoint.payloads, endpoint.type, endpoint.verify);
    this.#socket = this.#connect(localAddress);
    this.#readLimit =
      endpoint.readBytesPerSecond === undefined
        ? undefined
        : new ReadLimit(endpoint.readBytesPerSecond, () => this.#socket.resume());
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => {
      this.#ending ??= endingOf(error, this.#stage, shared.where);
    });
    this.#socket.on("end", () => this.#onEnd());
    this.#socket.on("close", () => this.#onClose());
    this.#handshakeTimer = setTimeout(() => this.#onHandshakeTimeout(), endpoint.timeoutMs);
  }

  get isCompressed(): boolean {
    return this.#compression !== undefined;
  }

  send(_sequence: number, count: number): void {
    const isWaiting = this.#writtenCount < this.#sentCount;
    this.#sentCount += count;
    if (!isWaiting) {
      this.#writeSent();
    }
  }

  sendContent(content: Uint8Array): void {
    const { endpoint, maskKey } = this.#shared;
    const opcode = opcodeOf(endpoint.type);
    const windowBits = this.#compression?.clientWindowBits;
    this.#socket.write(
      windowBits === undefined
        ? encodeMaskedFrame(opcode, content, maskKey)
        : encodeMaskedFrame(opcode | compressedBit, deflateMessage(content, windowBits), maskKey),
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
      if (this.#isStamped && this.#socket.writableLength > cloggedBytes) {
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
    if (this.#checksPieces && this.#exchange === undefined) {
      this.#checker.piece(chunk, start, end);
    }
    this.#content?.piece(chunk, start, end);
  }

  onMessage(opcode: number, payloadBytes: number): void {
    if (this.#exchange !== undefined) {
      this.#onFirstReply(opcode, this.#exchange);
      return;
    }
    if (this.#content !== undefined) {
      this.#onContent(opcode, this.#content.take());
      return;
    }
    this.#onReply(this.#checker.finish(opcode, payloadBytes, this.#sentCount));
  }

  #onFirstReply(opcode: number, exchange: FirstExchange): void {
    const content = this.#content?.take();
    if (content !== undefined && (opcode & compressedBit) !== 0) {
      this.#inflater?.inflate(content); // Later messages may refer to it.
    }
    exchange.onMessage();
    this.#openIf(exchange.isAnswered);
  }

  #onContent(opcode: number, content: Uint8Array): void {
    const inflater = (opcode & compressedBit) === 0 ? undefined : this.#inflater;
    const message = inflater === undefined ? content : inflater.inflate(content);
    const { passesContent = false } = this.#shared.endpoint;
    if (message === "oversized-message") {
      this.#frames.stop();
      this.onProtocolFault(message);
    } else if (message === "invalid-deflate") {
      this.#onReply(passesContent ? message : this.#checker.finishUnreadable(this.#sentCount));
    } else if (passesContent) {
      this.#events.onMessage(this, message);
    } else {
      this.#checker.piece(message, 0, message.length);
      this.#onReply(this.#checker.finish(opcode & ~compressedBit, message.length, this.#sentCount));
    }
  }

  #onReply(fault: ReplyFault | undefined): void {
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
    const { endpoint, isSecure, readBuffer, slowBuffer } = this.#shared;
    return connectSocket(
      endpoint,
      {
        onread: {
          buffer: slowBuffer === undefined ? readBuffer : () => this.#slowBuffer(slowBuffer),
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
    this.#response = new HandshakeResponse(request.key, endpoint.subprotocols, endpoint.deflate);
    this.#socket.write(request.bytes);
  }

  #onRead(bytes: number, buffer: Uint8Array): boolean {
    if (this.#response === undefined) {
      this.#frames.push(buffer, 0, bytes);
      this.#content?.keep();
      this.#passReplies();
      return this.#readLimit === undefined || this.#stage !== "open" || this.#readLimit.mayReadOn(bytes);
    }
    const outcome = this.#response.push(buffer.subarray(0, bytes));
    if (outcome !== undefined && "rest" in outcome) {
      this.#response = undefined;
      this.#agree(outcome.compression);
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

  #agree(compression: Compression | undefined): void {
    if (compression === undefined) {
      return;
    }
    const { endpoint, compressedTape, inflaterFor } = this.#shared;
    this.#compression = compression;
    this.#tape = compressedTape(compression.clientWindowBits);
    this.#frames.allowCompressed();
    // The length of a compressed reply says nothing: what is to be checked is decompressed.
    if (endpoint.passesContent === true || endpoint.verify !== "none") {
      this.#content ??= new MessageBuffer();
      this.#inflater = inflaterFor(compression);
      this.#checksPieces = false;
    }
  }

  /** The handshake and the first exchange are read as by everyone. */
  #slowBuffer(slow: Buffer): Buffer {
    return this.#stage === "open" ? slow : this.#shared.readBuffer;
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
    this.#readLimit?.stop();
    this.#events.onClosed(this.index, this.#ending ?? this.#endingWithoutWords());
  }

  #endingWithoutWords(): Ending {
    return this.#stage === "securing"
      ? { kind: "tls-failed", detail: `${this.#shared.where} ended the connection during the TLS handshake` }
      : endingOfClose(undefined, "");
  }
}
