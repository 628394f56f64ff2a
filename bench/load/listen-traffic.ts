// Listening: the target sends by itself. A connection may send messages once, when it opens.

import type { Connection } from "../engine/connection.ts";
import { IdleTraffic } from "./idle-traffic.ts";
import type { TrafficTools } from "./traffic.ts";

export class ListenTraffic extends IdleTraffic {
  readonly #tools: TrafficTools;
  readonly #onOpen: readonly Uint8Array[];
  /** Arrival of the last message, by connection. */
  readonly #lastNs = new Map<number, number>();

  constructor(tools: TrafficTools, onOpen: readonly Uint8Array[]) {
    super(tools);
    this.#tools = tools;
    this.#onOpen = onOpen;
  }

  override add(connection: Connection): void {
    for (const content of this.#onOpen) {
      this.#tools.ledger.now(this.#tools.clock.nowNs()).counters.sent += 1;
      connection.sendContent(content);
    }
  }

  override remove(index: number): void {
    this.#lastNs.delete(index);
  }

  override onMessage(connection: Connection, content: Uint8Array): void {
    const { clock, ledger } = this.#tools;
    const nowNs = clock.nowNs();
    const lastNs = this.#lastNs.get(connection.index);
    this.#lastNs.set(connection.index, nowNs);
    ledger.arrived(nowNs, 1, content.length);
    if (lastNs !== undefined) {
      ledger.now(nowNs).between.record(nowNs - lastNs, 1);
    }
  }
}
