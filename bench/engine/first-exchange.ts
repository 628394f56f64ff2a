// The first message of a connection and its replies, which belong to opening it and not to its load.

import { randomBytes } from "node:crypto";

/** The first message, sent as text before anything else; plain data. */
export interface FirstMessage {
  /** May have placeholders, see template. */
  readonly text: string;
  /**
   * Messages to wait for before the connection counts as open. Undefined: those that arrive before the pong of a ping
   * that follows the message, which may be none; the pong shows that the target has read the message.
   */
  readonly replies: number | undefined;
}

/** Waits for the end of one connection's first exchange. */
export class FirstExchange {
  readonly text: string;
  /** Sent after the first message; undefined when replies are counted. */
  readonly ping: Buffer | undefined;
  readonly #replies: number | undefined;
  #arrived = 0;

  constructor({ text, replies }: FirstMessage) {
    this.text = text;
    this.#replies = replies;
    this.ping = replies === undefined ? randomBytes(8) : undefined;
  }

  /** A message has arrived. */
  onMessage(): void {
    this.#arrived += 1;
  }

  /** Whether every reply has arrived, without a pong. */
  get isAnswered(): boolean {
    return this.#replies !== undefined && this.#arrived >= this.#replies;
  }

  /** Whether this pong ends the exchange. */
  isEndedBy(pong: Uint8Array): boolean {
    return this.ping?.equals(pong) === true;
  }

  /** What is still missing, for an error message. */
  get missing(): string {
    return this.#replies === undefined
      ? "no pong after the first message"
      : `${this.#arrived} of ${this.#replies} replies to the first message`;
  }
}
