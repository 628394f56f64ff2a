// Echoes: a client in a closed loop, or one that an open loop drives.

import type { Connection } from "../engine/connection.ts";
import type { Curve } from "../scenario/curve.ts";
import type { Loop } from "../scenario/traffic.ts";
import { Client } from "./client.ts";
import { Dispersion } from "./dispersion.ts";
import { OpenLoop } from "./open-loop.ts";
import { createPacer } from "./pacer.ts";
import type { Traffic, TrafficTools } from "./traffic.ts";

export class EchoTraffic implements Traffic {
  readonly #tools: TrafficTools;
  readonly #loop: Loop;
  readonly #client: Client;
  #openLoop: OpenLoop | undefined;

  /** @param payloads sent in turn on each connection */
  constructor(tools: TrafficTools, loop: Loop, payloads: readonly Uint8Array[]) {
    this.#tools = tools;
    this.#loop = loop;
    this.#client = new Client({
      clock: tools.clock,
      ledger: tools.ledger,
      payloads,
      timeoutMs: tools.timeoutMs,
      depth: loop.kind === "closed" ? loop.depth : 0,
      first: firstOf(loop),
      onSurplus: (count) =>
        tools.countError("surplus-reply", "more replies came than messages were sent", count),
      onAllSettled: tools.onSettled,
    });
  }

  get hasGivenUp(): boolean {
    return this.#client.hasGivenUp || this.#client.inFlight > 0;
  }

  add(connection: Connection): void {
    this.#client.add(connection);
  }

  retire(connection: Connection): void {
    this.#client.retire(connection.index);
  }

  remove(index: number): void {
    this.#client.remove(index);
  }

  start(startNs: number): void {
    this.#client.start();
    if (this.#loop.kind === "open") {
      const { clock, calls, ledger, thread, phase, random } = this.#tools;
      const { arrivals, rate } = this.#loop;
      const pacer = createPacer(arrivals, rate, startNs, thread, phase, random);
      this.#openLoop = new OpenLoop({ client: this.#client, clock, calls, pacer, ledger });
      this.#openLoop.start();
    }
  }

  stop(): void {
    this.#openLoop?.stop();
    this.#client.stop();
  }

  abandon(): void {
    this.#client.abandon();
  }

  sweep(nowNs: number): void {
    this.#client.sweep(nowNs);
  }

  beginStep(fromNs: number): void {
    const rate = this.#loop.kind === "open" ? steadyRateOf(this.#loop.rate) : undefined;
    if (this.#openLoop !== undefined && rate !== undefined) {
      this.#openLoop.dispersion = new Dispersion(fromNs, (this.#tools.thread.count * 1e9) / rate);
    }
  }

  endStep(untilNs: number): number | undefined {
    const dispersion = this.#openLoop?.dispersion;
    if (this.#openLoop !== undefined) {
      this.#openLoop.dispersion = undefined;
    }
    return dispersion?.finish(untilNs);
  }

  onReplies(connection: Connection, count: number): void {
    this.#client.onReplies(connection, count);
  }

  onBadReply(connection: Connection): void {
    this.#client.onBadReply(connection);
  }

  onMissing(connection: Connection, count: number): void {
    this.#client.onMissing(connection, count);
  }

  onMessage(): void {
    // Its connections pass replies on by their number.
  }

  onPong(): void {
    // It sends no pings.
  }
}

function firstOf(loop: Loop): number {
  return loop.kind === "once" ? 1 : loop.kind === "closed" ? loop.depth : 0;
}

/** Only at one rate are equal spans alike. */
function steadyRateOf(rate: Curve): number | undefined {
  const first = rate[0]?.from;
  return first !== undefined && first > 0 && rate.every(({ from, to }) => from === first && to === first)
    ? first
    : undefined;
}
