// One connection of an endpoint on demand, as its handler uses it. Counts and bounds everything that the handler sends.
import type { BehaviourName, behaviours } from "../../lib/behaviours.ts";
import type { BufferBudget } from "../../lib/buffer-budget.ts";
import type { Values } from "../../lib/parameter.ts";
import {
  bump,
  endpointSlot,
  observe,
  pingRttBounds,
  type Stats,
  slot,
  type TerminationReason,
} from "../../metrics/counters.ts";
import { type Backpressure, frameBytes, leastCompressedBytes } from "../backpressure.ts";
import type { EchoSocket } from "../connection.ts";
import { Line, type Pace, type Position } from "./line.ts";
import { OutstandingPings } from "./outstanding-pings.ts";
import { sendAt } from "./send-piece.ts";

/** Parts shared by all sessions. */
export interface SessionParts {
  readonly stats: Stats;
  readonly backpressure: Backpressure;
  readonly budget: BufferBudget;
  readonly maxBackpressure: number;
  readonly maxPayload: number;
  /** Minimum size of compressed messages, in bytes. */
  readonly compressFrom: number;
  readonly instance: string;
  /** Milliseconds of a clock that never goes back, with fractions. */
  readonly now: () => number;
  /** Sessions with delayed echoes. */
  readonly holders: Set<Session>;
}

/** The parameters of a request, from its path and query. */
export type Asked<N extends BehaviourName> = Values<(typeof behaviours)[N]["segments"]> &
  Values<(typeof behaviours)[N]["parameters"]>;

/** How a handler reacts to events. */
export interface Reactions {
  /** A message arrived. `message` is invalid once this returns. */
  readonly message?: (message: ArrayBuffer, isBinary: boolean) => void;
  /** All buffered bytes are sent. */
  readonly drain?: () => void;
  readonly close?: () => void;
}

export class Session {
  readonly parts: SessionParts;
  readonly name: BehaviourName;
  #reactions: Reactions = {};
  #socket: EchoSocket | undefined;
  #line: Line | undefined;
  #isEnding = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #pings = new OutstandingPings();

  constructor(parts: SessionParts, name: BehaviourName) {
    this.parts = parts;
    this.name = name;
  }

  /** False once the connection has ended or is being closed. */
  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#isEnding && !this.parts.backpressure.isLeaving(this.#socket);
  }

  /** Memory of delayed echoes, in bytes. */
  get heldBytes(): number {
    return this.#line?.bytes ?? 0;
  }

  /** Whether bytes are buffered because the client does not read. If so, push nothing. */
  get isBehind(): boolean {
    return this.#socket !== undefined && this.#socket.getBufferedAmount() > 0;
  }

  /** @param start the handler's `open` */
  opened(ws: EchoSocket, start: () => Reactions): void {
    this.#socket = ws;
    this.#reactions = start();
  }

  get reactions(): Reactions {
    return this.#reactions;
  }

  /** The connection has ended. */
  closed(): void {
    const { stats, holders } = this.parts;
    this.#socket = undefined;
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    holders.delete(this);
    for (const { bytes, isBinary } of this.#line?.close() ?? []) {
      bump(stats, slot.delayedDropped);
      bump(stats, isBinary ? slot.binaryDropped : slot.textDropped);
      bump(stats, isBinary ? slot.binaryDroppedBytes : slot.textDroppedBytes, bytes);
    }
    this.#reactions.close?.();
  }

  /** Delays and splits echoes from now on. */
  pace(pace: Pace): void {
    const { stats, budget, holders, now } = this.parts;
    holders.add(this);
    this.#line = new Line(
      pace,
      {
        send: (piece, isBinary, position, messageBytes) =>
          this.#sendPiece(piece, isBinary, position, messageBytes),
        batch: (action) => this.cork(action),
        held(messages, bytes) {
          bump(stats, slot.delayedMessages, messages);
          bump(stats, slot.delayedBytes, bytes);
          budget.add(bytes);
        },
      },
      now,
    );
  }

  /** Sends delayed echoes now, before the connection is closed. */
  sendHeld(): void {
    this.#line?.flush();
  }

  /**
   * Echoes a message, now or when it is due.
   * @param onSent called once it is sent
   */
  echo(message: ArrayBuffer, isBinary: boolean, onSent?: () => void): void {
    const ws = this.#socket;
    const line = this.#line;
    if (ws === undefined) {
      return;
    }
    const bytes = message.byteLength;
    if (line === undefined) {
      if (this.#sendPiece(Buffer.from(message), isBinary, "whole", bytes)) {
        onSent?.();
      }
      return;
    }
    const { stats, backpressure, budget, maxBackpressure } = this.parts;
    if (ws.getBufferedAmount() + line.bytes > maxBackpressure) {
      bump(stats, slot.delayedDropped);
      backpressure.dropped(ws, bytes, isBinary);
      return;
    }
    line.push(Buffer.from(message.slice(0)), isBinary, onSent);
    budget.enforce();
  }

  /** Sends a message that is not an echo. Returns false if it was not sent. */
  push(data: string | Uint8Array, isBinary = false): boolean {
    const ws = this.#socket;
    if (ws === undefined) {
      return false;
    }
    const { stats, backpressure, compressFrom } = this.parts;
    // As bytes: the binaries for Node 22 and later send some strings as Latin-1.
    const message = typeof data === "string" ? Buffer.from(data) : data;
    const bytes = message.byteLength;
    const result = ws.send(message, isBinary, bytes >= compressFrom);
    if (result === 2) {
      backpressure.refused(ws);
      return false;
    }
    bump(stats, endpointSlot(slot.messagesPushed, this.name));
    bump(stats, slot.pushedBytes, bytes);
    if (result === 0) {
      backpressure.added(ws, bytes >= compressFrom ? leastCompressedBytes(bytes) : frameBytes(bytes));
    }
    return true;
  }

  /** Counts a message that arrived too late for an echo. */
  ignore(message: ArrayBuffer, isBinary: boolean): void {
    const { stats } = this.parts;
    bump(stats, isBinary ? slot.binaryTaken : slot.textTaken);
    bump(stats, isBinary ? slot.binaryTakenBytes : slot.textTakenBytes, message.byteLength);
  }

  /** Sends one fragment of a possibly incomplete text, for violations only. */
  fragment(position: "first" | "last", text: string): void {
    if (this.#socket !== undefined) {
      sendAt(this.#socket, Buffer.from(text), false, position, false);
    }
  }

  /** Sends a ping of any size, for violations only. */
  rawPing(payload: Uint8Array): void {
    this.#socket?.ping(payload);
  }

  /** Sends a ping; `onPong` gets the round-trip time. While bytes are buffered, skips and counts the ping. */
  ping(onPong: (rttMs: number) => void = () => undefined): void {
    const ws = this.#socket;
    if (ws === undefined) {
      return;
    }
    const { stats, backpressure, now } = this.parts;
    if (this.isBehind) {
      bump(stats, slot.ticksSkipped);
      return;
    }
    bump(stats, slot.pingsSent);
    if (ws.ping(this.#pings.add({ at: now(), onPong })) !== 1 && this.#socket !== undefined) {
      backpressure.added(ws, 2);
    }
  }

  ponged(payload: ArrayBuffer): void {
    const ping = this.#pings.take(payload);
    if (ping === undefined) {
      return;
    }
    const { stats, now } = this.parts;
    const rttMs = now() - ping.at;
    bump(stats, slot.pongsReceived);
    observe(stats, slot.pingRtt, slot.pingRttSum, pingRttBounds, rttMs / 1000);
    ping.onPong(rttMs);
  }

  /** Closes with this code after all echoes; 0 is an empty close frame. */
  close(code: number, reason = ""): void {
    if (this.#socket !== undefined) {
      this.parts.backpressure.closeGracefully(this.#socket, code, "asked", reason);
    }
  }

  /** Ends the TCP connection at once. */
  terminate(reason: TerminationReason): void {
    if (this.#socket !== undefined) {
      this.parts.backpressure.terminate(this.#socket, reason);
    }
  }

  /** Ends the TCP connection without a close frame, after all echoes. */
  abort(): void {
    if (this.#isEnding) {
      return;
    }
    this.sendHeld();
    this.#isEnding = true;
    // Bytes sent in a callback, such as the 101, are written after it.
    const end = (): void => {
      const ws = this.#socket;
      if (ws === undefined) {
        return;
      }
      if (ws.getBufferedAmount() === 0) {
        this.parts.backpressure.terminate(ws, "asked");
      } else {
        this.after(10, end);
      }
    };
    this.after(0, end);
  }

  /** Runs an action once after a delay, unless the connection ends before. */
  after(milliseconds: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds).unref();
    this.#timers.add(timer);
  }

  /** Runs an action at an interval until it returns false or the connection ends. */
  every(milliseconds: number, action: () => boolean): void {
    const timer = setInterval(() => {
      if (!this.isOpen) {
        return;
      }
      this.cork(() => {
        if (!action()) {
          clearInterval(timer);
          this.#timers.delete(timer);
        }
      });
    }, milliseconds).unref();
    this.#timers.add(timer);
  }

  /** Combines the sends of an action into few writes. */
  cork(action: () => void): void {
    if (this.#socket === undefined) {
      return;
    }
    this.#socket.cork(action);
  }

  // Returns false if the rest of the message must not be sent.
  #sendPiece(piece: Buffer, isBinary: boolean, position: Position, messageBytes: number): boolean {
    const ws = this.#socket;
    if (ws === undefined) {
      return false;
    }
    const { stats, backpressure, maxBackpressure, compressFrom } = this.parts;
    if (position === "first" && ws.getBufferedAmount() + messageBytes > maxBackpressure) {
      backpressure.dropped(ws, messageBytes, isBinary);
      return false;
    }
    const isCompressed = position === "whole" && piece.length >= compressFrom;
    const result = sendAt(ws, piece, isBinary, position, isCompressed);
    if (position !== "whole") {
      bump(stats, slot.fragmentsSent);
    }
    if (result === 2) {
      backpressure.dropped(ws, messageBytes, isBinary);
      // A message without one of its fragments would violate the protocol.
      if (position !== "whole" && this.#socket !== undefined) {
        backpressure.terminate(ws, "backpressure");
      }
      return false;
    }
    if (result === 0) {
      const added = isCompressed ? leastCompressedBytes(piece.length) : frameBytes(piece.length);
      if (position === "whole" || position === "last") {
        backpressure.buffered(ws, added);
      } else {
        backpressure.added(ws, added);
      }
    }
    return this.#socket !== undefined;
  }
}
