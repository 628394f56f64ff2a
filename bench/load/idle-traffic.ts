// Sends nothing, and counts the target's messages.

import type { Connection } from "../engine/connection.ts";
import type { Traffic, TrafficTools } from "./traffic.ts";

export class IdleTraffic implements Traffic {
  readonly #tools: TrafficTools;

  constructor(tools: TrafficTools) {
    this.#tools = tools;
  }

  get hasGivenUp(): boolean {
    return false;
  }

  add(_connection: Connection): void {
    // Nothing is sent.
  }

  retire(connection: Connection): void {
    connection.close();
  }

  remove(_index: number): void {
    // Nothing was in flight.
  }

  start(_startNs: number): void {
    // Nothing is sent.
  }

  stop(): void {
    this.#tools.onSettled();
  }

  abandon(): void {
    // Nothing was in flight.
  }

  sweep(_nowNs: number): void {
    // Nothing was in flight.
  }

  beginStep(_fromNs: number): void {
    // Nothing is sent.
  }

  endStep(_untilNs: number): number | undefined {
    return undefined;
  }

  onReplies(): void {
    // Its connections pass messages on by their content.
  }

  onBadReply(): void {
    // Nothing is checked.
  }

  onMissing(): void {
    // Nothing is checked.
  }

  onMessage(_connection: Connection, content: Uint8Array): void {
    this.#tools.ledger.arrived(this.#tools.clock.nowNs(), 1, content.length);
  }

  onPong(_connection: Connection, _payload: Uint8Array): void {
    // It sends no pings.
  }
}
