// Fan-out: some connections publish, and all receive. Each message contains its sender, its number and its times.

import type { Connection } from "../engine/connection.ts";
import type { Curve } from "../scenario/curve.ts";
import type { Arrivals } from "../scenario/population.ts";
import { IdleTraffic } from "./idle-traffic.ts";
import { LoopDriver } from "./loop-driver.ts";
import type { LoopClient, LoopLane } from "./open-loop.ts";
import { readStamp, stampBytes, writeStamp } from "./stamp.ts";
import type { TrafficTools } from "./traffic.ts";

export interface FanoutOptions {
  readonly publishers: number;
  readonly rate: Curve;
  readonly arrivals: Arrivals;
  readonly receivers: "all" | "others";
  readonly payloadBytes: number;
  readonly tag: number;
}

/** One connection that publishes. */
interface Publisher extends LoopLane {
  /** Its number over all threads. */
  readonly sender: number;
  nextSequence: number;
  isRetiring: boolean;
}

/** What one connection has received. */
interface Receiver {
  /** The next expected number, by publisher; a late receiver starts with the first that it receives. */
  readonly next: Map<number, number>;
  readonly isFromStart: boolean;
  /** Publishers whose last message has come. */
  ended: number;
}

/** Marks the message after a publisher's last one: a sequence that follows it, due at no time. */
const endNs = 0;

export class FanoutTraffic extends IdleTraffic implements LoopClient<Publisher> {
  /** The publishers of this thread. */
  readonly lanes: Publisher[] = [];
  /** Published messages have no replies. */
  readonly inFlight = 0;
  readonly #tools: TrafficTools;
  readonly #options: FanoutOptions;
  readonly #driver: LoopDriver<Publisher>;
  readonly #draft: Buffer;
  readonly #receivers = new Map<number, Receiver>();
  /** Next sequence numbers of publishers that have lost their connection. */
  readonly #sequences = new Map<number, number>();
  #isRunning = false;
  #isStopped = false;
  #isHurried = false;

  constructor(tools: TrafficTools, options: FanoutOptions) {
    super(tools);
    this.#tools = tools;
    this.#options = options;
    this.#draft = Buffer.alloc(Math.max(stampBytes, options.payloadBytes), ".");
    const { rate, arrivals } = options;
    this.#driver = new LoopDriver(tools, { kind: "open", rate, arrivals }, this);
  }

  override get hasGivenUp(): boolean {
    return this.#isHurried;
  }

  override add(connection: Connection): void {
    const { index, count } = this.#tools.thread;
    const sender = connection.index * count + index;
    this.#receivers.set(connection.index, { next: new Map(), isFromStart: !this.#isRunning, ended: 0 });
    if (sender < this.#options.publishers) {
      // A reconnected publisher continues its sequence.
      const nextSequence = this.#sequences.get(sender) ?? 0;
      this.lanes.push({ connection, sender, nextSequence, isRetiring: false, inFlight: 0 });
    }
  }

  override retire(connection: Connection): void {
    this.remove(connection.index);
    connection.close();
  }

  override remove(index: number): void {
    this.#receivers.delete(index);
    const publisher = this.#publisherOn(index);
    if (publisher !== undefined) {
      this.lanes.splice(this.lanes.indexOf(publisher), 1);
      this.#sequences.set(publisher.sender, publisher.nextSequence);
    }
    this.#checkSettled();
  }

  override start(startNs: number): void {
    this.#isRunning = true;
    this.#driver.start(startNs);
  }

  /** Each publisher marks its last message, so that messages missing at the end are noticed. */
  override stop(): void {
    this.#driver.stop();
    this.#isStopped = true;
    for (const publisher of this.lanes) {
      this.#sayEnd(publisher);
    }
    this.#checkSettled();
  }

  override abandon(): void {
    this.#isHurried = true;
    const { clock, ledger } = this.#tools;
    const nowNs = clock.nowNs();
    for (const [index, { ended }] of this.#receivers) {
      const missing = Math.max(0, this.#publishersFor(index) - ended);
      if (missing > 0) {
        ledger.lost(Math.min(nowNs, ledger.untilNs - 1), missing);
        this.#tools.countError("unfinished", "the last messages of a publisher did not arrive", missing);
      }
    }
  }

  override beginStep(fromNs: number): void {
    this.#driver.beginStep(fromNs);
  }

  override endStep(untilNs: number): number | undefined {
    return this.#driver.endStep(untilNs);
  }

  sendDue(lane: Publisher, dueNs: Float64Array, from: number, until: number, sentNs: number): void {
    for (let i = from; i < until; i += 1) {
      const intendedNs = dueNs[i] ?? sentNs;
      this.#tools.ledger.sent(intendedNs, 1);
      this.#publish(lane, intendedNs, sentNs);
    }
  }

  override onMessage(connection: Connection, content: Uint8Array): void {
    const { clock, ledger, countError } = this.#tools;
    const nowNs = clock.nowNs();
    const stamp = readStamp(content, this.#options.tag);
    const receiver = this.#receivers.get(connection.index);
    if (receiver === undefined || stamp === undefined) {
      ledger.arrived(nowNs, 1, content.length);
      return; // a message of the target itself
    }
    const { sender, sequence, intendedNs, sentNs } = stamp;
    const next = receiver.next.get(sender) ?? (receiver.isFromStart ? 0 : undefined);
    const isEnd = intendedNs === endNs;
    if (next !== undefined && sequence < next) {
      countError("duplicate-message", "a message arrived twice, or after a later one");
      return;
    }
    receiver.next.set(sender, sequence + 1);
    if (next !== undefined && sequence > next) {
      ledger.lost(Math.min(nowNs, ledger.untilNs - 1), sequence - next);
    }
    if (isEnd) {
      receiver.ended += 1;
      this.#checkSettled();
      return;
    }
    ledger.arrived(nowNs, 1, content.length);
    ledger.answered(intendedNs, sentNs, nowNs, 1);
  }

  #publish(publisher: Publisher, intendedNs: number, sentNs: number): void {
    const { sender, nextSequence: sequence } = publisher;
    publisher.nextSequence += 1;
    writeStamp(this.#draft, this.#options.tag, { sender, sequence, intendedNs, sentNs });
    publisher.connection.sendContent(this.#draft);
  }

  #sayEnd(publisher: Publisher): void {
    this.#publish(publisher, endNs, endNs);
  }

  #publisherOn(index: number): Publisher | undefined {
    return this.lanes.find(({ connection }) => connection.index === index);
  }

  /** How many publishers a connection receives from. */
  #publishersFor(index: number): number {
    const { publishers, receivers } = this.#options;
    const isOwn = this.#publisherOn(index) !== undefined;
    return publishers - (receivers === "others" && isOwn ? 1 : 0);
  }

  #checkSettled(): void {
    const isWaiting = (): boolean =>
      [...this.#receivers].some(([index, { ended }]) => ended < this.#publishersFor(index));
    if (this.#isStopped && !isWaiting()) {
      this.#tools.onSettled();
    }
  }
}
