// The generator's hot path: sends messages, matches replies to them, and drives the closed loop.
//
// Per reply: no allocation, no closure, no clock read. The clock is read once per socket read.

import type { Connection } from "../engine/connection.ts";
import { at } from "../engine/payload.ts";
import type { Clock } from "./clock.ts";
import type { EchoClient } from "./echo-client.ts";
import type { Ledger } from "./ledger.ts";
import type { LoopLane } from "./open-loop.ts";
import { Outstanding } from "./outstanding.ts";

/** Payload of a ping: how many messages were sent before it, as a float of 64 bits. */
const fenceBytes = 8;

/** One open connection and its messages in flight. */
export class Lane implements LoopLane {
  readonly connection: Connection;
  readonly outstanding = new Outstanding();
  sentCount = 0;
  repliedCount = 0;
  /** Messages that were given up, whose replies may still come, before those of all others. */
  overdueCount = 0;
  /** Nothing more is sent on it; it is closed once nothing is in flight. */
  isRetiring = false;
  /** With a fence: how many of its messages the target has read, by its pongs. */
  readCount = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get inFlight(): number {
    return this.outstanding.size;
  }
}

export interface ClientOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly payloads: readonly Uint8Array[];
  /** Time without a reply after which a message is lost. */
  readonly timeoutMs: number;
  /** Messages in flight per connection; 0 if the open loop decides when to send. */
  readonly depth: number;
  /** Messages that a connection sends when it has opened. */
  readonly first: number;
  /** Send a ping after messages, see Echo in scenario/traffic. */
  readonly fence: boolean;
  /** More replies arrived than messages were sent. */
  readonly onSurplus: (count: number) => void;
  /** The last message in flight was answered or lost. */
  readonly onAllSettled: () => void;
}

/** The load on a set of open connections. */
export class Client implements EchoClient<Lane> {
  /** The open connections; may shrink at any time. */
  readonly lanes: Lane[] = [];
  readonly #options: ClientOptions;
  readonly #ledger: Ledger;
  readonly #laneOf: (Lane | undefined)[] = [];
  readonly #uniformBytes: number | undefined;
  readonly #timeoutNs: number;
  #isSending = false;
  /** Messages without a reply on all connections. */
  inFlight = 0;
  /** Some messages have timed out; their replies may still arrive. */
  hasGivenUp = false;
  #nowNs = 0;

  // Bound once, so that settling a reply allocates nothing.
  readonly #settleAnswered = (intendedNs: number, sentNs: number, count: number): void => {
    this.#ledger.answered(intendedNs, sentNs, this.#nowNs, count);
  };
  readonly #settleCorrupt = (intendedNs: number): void => {
    this.#ledger.corrupt(intendedNs);
  };
  readonly #settleLost = (intendedNs: number, _sentNs: number, count: number): void => {
    this.#ledger.lost(intendedNs, count);
  };
  readonly #settleCrossed = (intendedNs: number, _sentNs: number, count: number): void => {
    this.#ledger.crossed(intendedNs, count);
  };

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#timeoutNs = options.timeoutMs * 1e6;
    this.#uniformBytes = options.payloads.length === 1 ? at(options.payloads, 0).length : undefined;
  }

  add(connection: Connection): void {
    const lane = new Lane(connection);
    this.lanes.push(lane);
    this.#laneOf[connection.index] = lane;
    if (this.#isSending && this.#options.first > 0) {
      this.#sendNow(lane, this.#options.first, this.#options.clock.nowNs());
    }
  }

  /** Sends nothing more on the connection, and closes it once nothing is in flight on it. */
  retire(index: number): void {
    const lane = this.#laneOf[index];
    if (lane !== undefined) {
      lane.isRetiring = true;
      this.#closeRetired(lane);
    }
  }

  /** The connection is gone: what it had in flight is lost. */
  remove(index: number, wasClosed: boolean): void {
    const lane = this.#laneOf[index];
    if (lane === undefined) {
      return;
    }
    this.#laneOf[index] = undefined;
    this.lanes.splice(this.lanes.indexOf(lane), 1);
    if (wasClosed && this.#options.fence) {
      this.#settleUnread(lane);
    }
    this.#lose(lane);
    this.#checkSettled();
  }

  /** Every connection sends its first messages; in a closed loop, one more for each reply. */
  start(): void {
    this.#isSending = true;
    const { clock, first } = this.#options;
    if (first > 0) {
      for (const lane of [...this.lanes]) {
        this.#sendNow(lane, first, clock.nowNs());
      }
    }
  }

  /** Stops sending; replies are still matched. */
  stop(): void {
    this.#isSending = false;
    this.#checkSettled();
  }

  /** Gives up on everything in flight. */
  abandon(): void {
    for (const lane of this.lanes) {
      this.#lose(lane);
    }
  }

  /**
   * Sends the lane's next messages, one for each due time in `dueNs` [from, until).
   * @param sentNs the clock just before
   */
  sendDue(lane: Lane, dueNs: Float64Array, from: number, until: number, sentNs: number): void {
    for (let i = from; i < until; i += 1) {
      const intendedNs = dueNs[i] ?? sentNs;
      lane.outstanding.push(intendedNs, sentNs, 1);
      this.#ledger.sent(intendedNs, 1);
    }
    this.#send(lane, until - from);
  }

  onReplies(connection: Connection, count: number): void {
    const lane = this.#laneOf[connection.index];
    if (lane === undefined) {
      return;
    }
    const nowNs = this.#options.clock.nowNs();
    this.#nowNs = nowNs;
    if (lane.repliedCount === 0 && lane.outstanding.size > 0) {
      this.#ledger.now(nowNs).firstEcho.record(nowNs - lane.outstanding.oldestSentNs, 1);
    }
    if (nowNs - lane.outstanding.oldestSentNs > this.#timeoutNs) {
      this.#giveUp(lane, nowNs);
    }
    const inTime = lane.overdueCount === 0 ? count : count - this.#takeOverdue(lane, count, nowNs);
    const known = Math.min(inTime, lane.outstanding.size);
    this.#ledger.arrived(nowNs, known, this.#payloadBytes(lane, known));
    lane.outstanding.take(known, this.#settleAnswered);
    this.#settled(lane, known, nowNs);
    if (inTime > known) {
      this.#options.onSurplus(inTime - known);
    }
  }

  onPong(connection: Connection, payload: Uint8Array): void {
    const lane = this.#laneOf[connection.index];
    if (lane !== undefined && payload.length === fenceBytes) {
      lane.readCount = new DataView(payload.buffer, payload.byteOffset).getFloat64(0);
    }
  }

  /** A reply that failed its check still answers the oldest message. */
  onBadReply(connection: Connection): void {
    const lane = this.#laneOf[connection.index];
    if (lane === undefined) {
      return;
    }
    const nowNs = this.#options.clock.nowNs();
    if (this.#takeOverdue(lane, 1, nowNs) === 0) {
      const known = lane.outstanding.take(1, this.#settleCorrupt);
      this.#settled(lane, known, nowNs);
    }
  }

  /** A later message was answered, so the replies to the `count` oldest are missing. */
  onMissing(connection: Connection, count: number): void {
    const lane = this.#laneOf[connection.index];
    if (lane === undefined) {
      return;
    }
    const nowNs = this.#options.clock.nowNs();
    const known = lane.outstanding.take(count - this.#takeOverdue(lane, count, nowNs), this.#settleLost);
    this.#settled(lane, known, nowNs);
  }

  onMessage(): void {
    // Its connections pass replies on by their number.
  }

  /** Gives up messages that have timed out. */
  sweep(nowNs: number): void {
    for (const lane of [...this.lanes]) {
      if (nowNs - lane.outstanding.oldestSentNs > this.#timeoutNs) {
        this.#giveUp(lane, nowNs);
      }
    }
    this.#checkSettled();
  }

  #giveUp(lane: Lane, nowNs: number): void {
    const overdue = lane.outstanding.countSentBefore(nowNs - this.#timeoutNs);
    lane.outstanding.take(overdue, this.#settleLost);
    lane.overdueCount += overdue;
    this.hasGivenUp = true;
    this.inFlight -= overdue;
    this.#closeRetired(lane);
  }

  /**
   * Takes replies to messages that were given up. Only now does a closed loop send in their place: on a connection that
   * hangs it would pile up messages, and where a reply was dropped it could not tell which message the next one answers.
   * @returns how many of `count` these are
   */
  #takeOverdue(lane: Lane, count: number, nowNs: number): number {
    const late = Math.min(count, lane.overdueCount);
    lane.overdueCount -= late;
    lane.repliedCount += late;
    this.#sendInstead(lane, late, nowNs);
    return late;
  }

  #settled(lane: Lane, count: number, nowNs: number): void {
    lane.repliedCount += count;
    this.inFlight -= count;
    if (!this.#sendInstead(lane, count, nowNs)) {
      this.#closeRetired(lane);
      this.#checkSettled();
    }
  }

  #closeRetired(lane: Lane): void {
    if (lane.isRetiring && lane.outstanding.size === 0) {
      lane.connection.close();
    }
  }

  /** The closed loop: as many messages as were settled. */
  #sendInstead(lane: Lane, count: number, nowNs: number): boolean {
    if (
      this.#isSending &&
      this.#options.depth > 0 &&
      nowNs < this.#ledger.untilNs &&
      count > 0 &&
      !lane.isRetiring
    ) {
      this.#sendNow(lane, count, nowNs);
      return true;
    }
    return false;
  }

  #sendNow(lane: Lane, count: number, nowNs: number): void {
    this.#ledger.sent(nowNs, count);
    lane.outstanding.push(nowNs, nowNs, count);
    this.#send(lane, count);
  }

  #send(lane: Lane, count: number): void {
    const sequence = lane.sentCount;
    lane.sentCount += count;
    this.inFlight += count;
    lane.connection.send(sequence, count);
    // A ping would overtake messages that the connection holds back.
    if (this.#options.fence && !lane.connection.isClogged()) {
      const payload = new Uint8Array(fenceBytes);
      new DataView(payload.buffer).setFloat64(0, lane.sentCount);
      lane.connection.ping(payload);
    }
  }

  /** Removes the messages that no pong has confirmed; the other messages in flight are lost. */
  #settleUnread(lane: Lane): void {
    const { size } = lane.outstanding;
    const read = Math.min(size, Math.max(0, lane.readCount - (lane.sentCount - size)));
    this.inFlight -= lane.outstanding.take(read, this.#settleLost);
    this.inFlight -= lane.outstanding.take(size - read, this.#settleCrossed);
  }

  #lose(lane: Lane): void {
    this.inFlight -= lane.outstanding.take(lane.outstanding.size, this.#settleLost);
  }

  #checkSettled(): void {
    if (!this.#isSending && this.inFlight === 0) {
      this.#options.onAllSettled();
    }
  }

  #payloadBytes(lane: Lane, count: number): number {
    if (this.#uniformBytes !== undefined) {
      return this.#uniformBytes * count;
    }
    let bytes = 0;
    for (let i = 0; i < count; i += 1) {
      bytes += at(this.#options.payloads, lane.repliedCount + i).length;
    }
    return bytes;
  }
}
