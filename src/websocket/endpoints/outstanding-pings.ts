// The pings of one connection whose pong has not arrived, by the number in their payload.

interface Ping {
  readonly at: number;
  readonly onPong: (rttMs: number) => void;
}

/** Maximum of remembered pings without a pong. */
const maxPingsOutstanding = 64;
const pingPrefix = "uws-echo ";

export class OutstandingPings {
  readonly #waiting = new Map<number, Ping>();
  #added = 0;

  /** Returns the payload to send. */
  add(ping: Ping): string {
    const number = ++this.#added;
    this.#waiting.set(number, ping);
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size > maxPingsOutstanding) {
      this.#waiting.delete(oldest);
    }
    return `${pingPrefix}${number}`;
  }

  /** The ping that a pong answers; undefined for a pong that nobody asked for. */
  take(payload: ArrayBuffer): Ping | undefined {
    const text = Buffer.from(payload).toString("latin1");
    const number = text.startsWith(pingPrefix) ? Number(text.slice(pingPrefix.length)) : Number.NaN;
    const ping = this.#waiting.get(number);
    this.#waiting.delete(number);
    return ping;
  }
}
