// Counts bytes on the sockets of one group within a step.

import type { Connection, WireBytes } from "../engine/connection.ts";

export class WireMeter {
  readonly #open: ReadonlyMap<number, Connection>;
  /** Bytes of connections that have ended. */
  #ended: WireBytes = { sent: 0, received: 0 };
  #mark: WireBytes | undefined;

  /** @param open the open connections, which may change */
  constructor(open: ReadonlyMap<number, Connection>) {
    this.#open = open;
  }

  start(): void {
    this.#mark = this.#total();
  }

  /** A connection has ended, and is no longer among the open ones. */
  closed(connection: Connection): void {
    this.#ended = add(this.#ended, connection.wireBytes());
  }

  /** Bytes since `start`. */
  stop(): WireBytes {
    const { sent, received } = this.#total();
    const mark = this.#mark ?? { sent, received };
    this.#mark = undefined;
    return { sent: sent - mark.sent, received: received - mark.received };
  }

  #total(): WireBytes {
    return [...this.#open.values()].reduce(
      (sum, connection) => add(sum, connection.wireBytes()),
      this.#ended,
    );
  }
}

function add(a: WireBytes, b: WireBytes): WireBytes {
  return { sent: a.sent + b.sent, received: a.received + b.received };
}
