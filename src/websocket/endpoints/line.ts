// A delay line: holds echoes in order and sends them delayed, at a rate or in fragments. Uses one timer.

/** How echoes are delayed and split. */
export interface Pace {
  /** The delay of each message in milliseconds. */
  readonly delayMs: number;
  /** The maximum variation of the delay, in both directions, in milliseconds. */
  readonly jitterMs: number;
  /** 0 for no limit. */
  readonly bytesPerSecond: number;
  /** Size of fragments; 0 for none. */
  readonly fragmentBytes: number;
  /** Milliseconds between two fragments. */
  readonly fragmentDelayMs: number;
}

/** The position of a piece in its message. */
export type Position = "whole" | "first" | "middle" | "last";

/** The output of the line. */
export interface Wire {
  /** Returns false if the rest of the message must not be sent: it was dropped, or the connection has ended. */
  send(piece: Buffer, isBinary: boolean, position: Position, messageBytes: number): boolean;
  /** Runs an action that sends several pieces. */
  batch(action: () => void): void;
  /** Called with the change of held messages and bytes. */
  held(messages: number, bytes: number): void;
}

interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
  /** The earliest time to send its first piece. */
  readonly readyAt: number;
  /** Called once its last piece is sent. */
  readonly onSent: (() => void) | undefined;
  readonly pieceBytes: number;
  sentBytes: number;
}

/** A message that was not sent completely. */
export interface Unsent {
  readonly bytes: number;
  readonly isBinary: boolean;
}

/** Memory of a held message besides its payload, in bytes; counted so that empty messages are not free. */
export const heldOverheadBytes = 128;
/** Maximum of fragments per message. */
const maxFragments = 1024;

export class Line {
  readonly #pace: Pace;
  readonly #wire: Wire;
  readonly #now: () => number;
  readonly #random: () => number;
  #queue: Message[] = [];
  #head = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the last piece was due. */
  #freeAt = Number.NEGATIVE_INFINITY;
  #isFlushing = false;
  #isClosed = false;

  /**
   * @param now milliseconds of a clock that never goes back
   * @param random from 0 to 1
   */
  constructor(pace: Pace, wire: Wire, now: () => number, random: () => number = Math.random) {
    this.#pace = pace;
    this.#wire = wire;
    this.#now = now;
    this.#random = random;
  }

  /** Memory of the held messages, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a message until it is due. The caller must not reuse `data`. */
  push(data: Buffer, isBinary: boolean, onSent?: () => void): void {
    const { delayMs, jitterMs, fragmentBytes } = this.#pace;
    const readyAt = this.#now() + delayMs + (2 * this.#random() - 1) * jitterMs;
    const pieceBytes =
      fragmentBytes === 0 ? data.length : Math.max(fragmentBytes, Math.ceil(data.length / maxFragments));
    this.#queue.push({ data, isBinary, readyAt, onSent, pieceBytes, sentBytes: 0 });
    this.#hold(1, data.length + heldOverheadBytes);
    if (this.#timer === undefined) {
      this.#run();
    }
  }

  /** Sends all held messages now, fragments included. */
  flush(): void {
    this.#isFlushing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wire.batch(() => this.#run());
  }

  /** Ends the line when its connection has ended. Returns the unsent messages. */
  close(): Unsent[] {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const unsent = this.#queue
      .slice(this.#head)
      .map(({ data, isBinary }) => ({ bytes: data.length, isBinary }));
    this.#hold(-unsent.length, -this.#bytes);
    this.#queue = [];
    this.#head = 0;
    return unsent;
  }

  // Sending may end the connection, and onSent may push another message or flush, so this may re-enter itself.
  #run(): void {
    while (!this.#isClosed) {
      const message = this.#queue[this.#head];
      if (message === undefined) {
        return;
      }
      const waitMs = this.#isFlushing ? 0 : this.#dueAt(message) - this.#now();
      if (waitMs > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#wire.batch(() => this.#run());
        }, Math.ceil(waitMs)).unref();
        return;
      }
      this.#sendPiece(message);
    }
  }

  // A piece is due when it would have arrived over a link of this rate.
  #dueAt(message: Message): number {
    const { bytesPerSecond, fragmentDelayMs } = this.#pace;
    const isFirst = message.sentBytes === 0;
    const from = isFirst ? Math.max(message.readyAt, this.#freeAt) : this.#freeAt + fragmentDelayMs;
    const piece = Math.min(message.pieceBytes, message.data.length - message.sentBytes);
    return from + (bytesPerSecond === 0 ? 0 : (piece / bytesPerSecond) * 1000);
  }

  #sendPiece(message: Message): void {
    const { data, isBinary, pieceBytes, sentBytes } = message;
    this.#freeAt = this.#dueAt(message);
    const piece = data.subarray(sentBytes, sentBytes + pieceBytes);
    const isLast = sentBytes + piece.length >= data.length;
    const position = sentBytes === 0 ? (isLast ? "whole" : "first") : isLast ? "last" : "middle";
    message.sentBytes += piece.length;
    const goesOn = this.#wire.send(piece, isBinary, position, data.length);
    // The connection may have ended in the meantime.
    if (this.#isClosed || (goesOn && !isLast)) {
      return;
    }
    this.#head++;
    this.#hold(-1, -(data.length + heldOverheadBytes));
    if (this.#head === this.#queue.length || this.#head === 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (goesOn) {
      message.onSent?.();
    }
  }

  #hold(messages: number, bytes: number): void {
    this.#bytes += bytes;
    this.#wire.held(messages, bytes);
  }
}
