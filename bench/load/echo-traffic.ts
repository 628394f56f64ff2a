// Echo traffic: connections that send in a closed loop, once, or in an open loop.

import type { Connection } from "../engine/connection.ts";
import type { Loop } from "../scenario/traffic.ts";
import { Client } from "./client.ts";
import type { EchoClient } from "./echo-client.ts";
import { LoopDriver } from "./loop-driver.ts";
import type { LoopLane } from "./open-loop.ts";
import { StampedClient } from "./stamped-client.ts";
import type { Traffic, TrafficTools } from "./traffic.ts";

class EchoTraffic<L extends LoopLane> implements Traffic {
  readonly #client: EchoClient<L>;
  readonly #driver: LoopDriver<L>;

  constructor(tools: TrafficTools, loop: Loop, client: EchoClient<L>) {
    this.#client = client;
    this.#driver = new LoopDriver(tools, loop, client);
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

  remove(index: number, wasClosed: boolean): void {
    this.#client.remove(index, wasClosed);
  }

  start(startNs: number): void {
    this.#client.start();
    this.#driver.start(startNs);
  }

  stop(): void {
    this.#driver.stop();
    this.#client.stop();
  }

  abandon(): void {
    this.#client.abandon();
  }

  sweep(nowNs: number): void {
    this.#client.sweep(nowNs);
  }

  beginStep(fromNs: number): void {
    this.#driver.beginStep(fromNs);
  }

  endStep(untilNs: number): number | undefined {
    return this.#driver.endStep(untilNs);
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

  onMessage(connection: Connection, content: Uint8Array): void {
    this.#client.onMessage(connection, content);
  }

  onPong(connection: Connection, payload: Uint8Array): void {
    this.#client.onPong?.(connection, payload);
  }
}

/** Replies in the order of the messages, of which only the number is read. */
export function createEchoTraffic(
  tools: TrafficTools,
  { loop, fence }: { readonly loop: Loop; readonly fence: boolean },
  payloads: readonly Uint8Array[],
): Traffic {
  const client = new Client({
    clock: tools.clock,
    ledger: tools.ledger,
    payloads,
    timeoutMs: tools.timeoutMs,
    depth: depthOf(loop),
    first: firstOf(loop),
    fence,
    onSurplus: (count) =>
      tools.countError("surplus-reply", "more replies arrived than messages were sent", count),
    onAllSettled: tools.onSettled,
  });
  return new EchoTraffic(tools, loop, client);
}

/** Replies in any order, each with the stamp of its message. */
export function createStampedTraffic(
  tools: TrafficTools,
  loop: Loop,
  payloads: readonly Uint8Array[],
  tag: number,
): Traffic {
  const options = { payloads, tag, depth: depthOf(loop), first: firstOf(loop) };
  return new EchoTraffic(tools, loop, new StampedClient(tools, options));
}

function depthOf(loop: Loop): number {
  return loop.kind === "closed" ? loop.depth : 0;
}

function firstOf(loop: Loop): number {
  return loop.kind === "once" ? 1 : depthOf(loop);
}
