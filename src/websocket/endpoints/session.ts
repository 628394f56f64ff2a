// One connection of an endpoint on demand: what its behaviour can do with it. Everything that it sends is counted and bounded here.
import type { BehaviourName, behaviours } from "../../lib/behaviours.ts";
import type { BufferBudget } from "../../lib/buffer-budget.ts";
import type { Values } from "../../lib/parameters.ts";
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

/** uWS has these too; its typings leave them out. They return what send() does. */
interface SendsFragments {
  sendFirstFragment(message: Uint8Array, isBinary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
}

/** What all sessions share. */
export interface SessionParts {
  readonly stats: Stats;
  readonly backpressure: Backpressure;
  readonly budget: BufferBudget;
  readonly maxBackpressure: number;
  readonly maxPayload: number;
  /** From this size on messages are compressed, in bytes. */
  readonly compressFrom: number;
  readonly instance: string;
  /** Milliseconds of a clock that never goes back, with fractions. */
  readonly now: () => number;
  /** Sessions that hold echoes. */
  readonly holders: Set<Session>;
}

/** What was asked of an endpoint, in its path and its query. */
export type Asked<N extends BehaviourName> = Values<(typeof behaviours)[N]["segments"]> &
  Values<(typeof behaviours)[N]["parameters"]>;

/** What a behaviour does when something happens. */
export interface Reactions {
  /** A message came. Unless the endpoint echoes, it counts as taken. `message` is dead once this returns. */
  readonly message?: (message: ArrayBuffer, isBinary: boolean) => void;
  /** All bytes that waited are out. */
  readonly drain?: () => void;
  readonly close?: () => void;
}

/** Pings whose pong has not come yet are remembered up to this many. */
const maxPingsOutstanding = 64;
const pingPrefix = "uws-echo ";

export class Session {
  readonly parts: SessionParts;
  readonly name: BehaviourName;
  #reactions: Reactions = {};
  #socket: EchoSocket | undefined;
  #line: Line | undefined;
  #isEnding = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #pings = new Map<number, { readonly at: number; readonly onPong: (rttMs: number) => void }>();
  #pingsSent = 0;

  constructor(parts: SessionParts, name: BehaviourName) {
    this.parts = parts;
    this.name = name;
  }

  /** False once the connection has ended or been told to. */
  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#isEnding && !this.parts.backpressure.isLeaving(this.#socket);
  }

  /** Bytes that held echoes take. */
  get heldBytes(): number {
    return this.#line?.bytes ?? 0;
  }

  /** Whether bytes wait because the client does not read, so that nothing more should be pushed. */
  get isBehind(): boolean {
    return this.#socket !== undefined && this.#socket.getBufferedAmount() > 0;
  }

  /** @param start what the behaviour does first */
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

  /** Echoes go out like this from now on. */
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

  /** Sends held echoes now, before the connection is closed. */
  sendHeld(): void {
    this.#line?.flush();
  }

  /**
   * Sends a message back, now or when it is due.
   * @param onSent called once it is on its way
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

  /** Sends a message that is no echo. Returns false when it was not sent. */
  push(data: string | Uint8Array, isBinary = false): boolean {
    const ws = this.#socket;
    if (ws === undefined) {
      return false;
    }
    const { stats, backpressure, compressFrom } = this.parts;
    const bytes = Buffer.byteLength(data);
    const result = ws.send(data, isBinary, bytes >= compressFrom);
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

  /** A message comes too late to be echoed. */
  ignore(message: ArrayBuffer, isBinary: boolean): void {
    const { stats } = this.parts;
    bump(stats, isBinary ? slot.binaryTaken : slot.textTaken);
    bump(stats, isBinary ? slot.binaryTakenBytes : slot.textTakenBytes, message.byteLength);
  }

  /** Sends one fragment of a text that need not be whole, for violations only. */
  fragment(position: "first" | "last", text: string): void {
    if (this.#socket !== undefined) {
      sendAt(this.#socket, Buffer.from(text), false, position, false);
    }
  }

  /** Sends a ping whatever its size, for violations only. */
  rawPing(payload: Uint8Array): void {
    this.#socket?.ping(payload);
  }

  /** Sends a ping; `onPong` gets the round trip. Left out and counted while bytes wait. */
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
    const number = ++this.#pingsSent;
    this.#pings.set(number, { at: now(), onPong });
    const [oldest] = this.#pings.keys();
    if (oldest !== undefined && this.#pings.size > maxPingsOutstanding) {
      this.#pings.delete(oldest);
    }
    bump(stats, slot.pingsSent);
    if (ws.ping(`${pingPrefix}${number}`) !== 1 && this.#socket !== undefined) {
      backpressure.added(ws, 2);
    }
  }

  ponged(payload: ArrayBuffer): void {
    const text = Buffer.from(payload).toString("latin1");
    const number = text.startsWith(pingPrefix) ? Number(text.slice(pingPrefix.length)) : Number.NaN;
    const ping = this.#pings.get(number);
    if (ping === undefined) {
      return;
    }
    this.#pings.delete(number);
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
    // What was sent within a callback leaves after it, the answer to the handshake included.
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

  /** Runs an action once, unless the connection ends before. */
  after(milliseconds: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds).unref();
    this.#timers.add(timer);
  }

  /** Runs an action again and again, until it returns false or the connection ends. */
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

  /** Sends what an action sends in few writes. */
  cork(action: () => void): void {
    if (this.#socket === undefined) {
      return;
    }
    this.#socket.cork(action);
  }

  // Returns false when the rest of the message must not be sent.
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
      // A message that lacks a fragment would be a violation of the protocol.
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

function sendAt(
  ws: EchoSocket,
  piece: Buffer,
  isBinary: boolean,
  position: Position,
  isCompressed: boolean,
): number {
  const fragments = ws as unknown as SendsFragments;
  switch (position) {
    case "whole":
      return ws.send(piece, isBinary, isCompressed);
    case "first":
      return fragments.sendFirstFragment(piece, isBinary, false);
    case "middle":
      return fragments.sendFragment(piece, false);
    case "last":
      return fragments.sendLastFragment(piece, false);
  }
}
