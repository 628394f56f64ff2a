// Matches echoes by a stamp in the message: replies may arrive in any order, and inside other messages.

import type { Connection } from "../engine/connection.ts";
import { at } from "../engine/payload.ts";
import type { EchoClient } from "./echo-client.ts";
import type { LoopLane } from "./open-loop.ts";
import { readStamp, stampBytes, writeStamp } from "./stamp.ts";
import type { TrafficTools } from "./traffic.ts";

/** The due and send time of a message. */
interface Sent {
  readonly intendedNs: number;
  readonly sentNs: number;
}

class StampedLane implements LoopLane {
  readonly connection: Connection;
  /** Messages without a reply, by their number, the oldest first. */
  readonly waiting = new Map<number, Sent>();
  nextSequence = 0;
  hasReply = false;
  isRetiring = false;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get inFlight(): number {
    return this.waiting.size;
  }
}

export interface StampedOptions {
  readonly payloads: readonly Uint8Array[];
  readonly tag: number;
  /** Messages in flight per connection in a closed loop; 0 if an open loop decides when to send. */
  readonly depth: number;
  /** Messages that a connection sends when it has opened. */
  readonly first: number;
}

export class StampedClient implements EchoClient<StampedLane> {
  readonly lanes: StampedLane[] = [];
  readonly #laneOf = new Map<number, StampedLane>();
  readonly #tools: TrafficTools;
  readonly #options: StampedOptions;
  readonly #drafts: readonly Buffer[];
  inFlight = 0;
  hasGivenUp = false;
  #isSending = false;

  constructor(tools: TrafficTools, options: StampedOptions) {
    this.#tools = tools;
    this.#options = options;
    // The rest of a message stays as it is.
    this.#drafts = options.payloads.map((payload) => {
      const draft = Buffer.alloc(Math.max(stampBytes, payload.length), " ");
      draft.set(payload);
      return draft;
    });
  }

  add(connection: Connection): void {
    const lane = new StampedLane(connection);
    this.lanes.push(lane);
    this.#laneOf.set(connection.index, lane);
    this.#sendFirst(lane);
  }

  retire(index: number): void {
    const lane = this.#laneOf.get(index);
    if (lane !== undefined) {
      lane.isRetiring = true;
      this.#closeRetired(lane);
    }
  }

  remove(index: number): void {
    const lane = this.#laneOf.get(index);
    if (lane !== undefined) {
      this.#laneOf.delete(index);
      this.lanes.splice(this.lanes.indexOf(lane), 1);
      this.#lose(lane, Number.POSITIVE_INFINITY);
      this.#checkSettled();
    }
  }

  start(): void {
    this.#isSending = true;
    for (const lane of [...this.lanes]) {
      this.#sendFirst(lane);
    }
  }

  stop(): void {
    this.#isSending = false;
    this.#checkSettled();
  }

  abandon(): void {
    for (const lane of this.lanes) {
      this.#lose(lane, Number.POSITIVE_INFINITY);
    }
  }

  sweep(nowNs: number): void {
    const beforeNs = nowNs - this.#tools.timeoutMs * 1e6;
    for (const lane of [...this.lanes]) {
      const lost = this.#lose(lane, beforeNs);
      this.hasGivenUp ||= lost > 0;
      this.#sendInstead(lane, lost);
    }
    this.#checkSettled();
  }

  sendDue(lane: StampedLane, dueNs: Float64Array, from: number, until: number, sentNs: number): void {
    for (let i = from; i < until; i += 1) {
      this.#send(lane, dueNs[i] ?? sentNs, sentNs);
    }
  }

  onReplies(): void {
    // Its connections pass messages on by their content.
  }

  onBadReply(): void {
    // Replies are not checked.
  }

  onMissing(): void {
    // Missing messages are detected by their number.
  }

  onMessage(connection: Connection, content: Uint8Array): void {
    const lane = this.#laneOf.get(connection.index);
    if (lane === undefined) {
      return;
    }
    const { clock, ledger, countError } = this.#tools;
    const nowNs = clock.nowNs();
    ledger.arrived(nowNs, 1, content.length);
    const stamp = readStamp(content, this.#options.tag);
    if (stamp === undefined || stamp.sender !== connection.index) {
      countError("unasked-message", "a message arrived that answers none of the connection's");
      return;
    }
    const sent = lane.waiting.get(stamp.sequence);
    if (sent === undefined) {
      if (!this.hasGivenUp) {
        countError("duplicate-reply", "a reply arrived twice");
      }
      return;
    }
    lane.waiting.delete(stamp.sequence);
    this.inFlight -= 1;
    ledger.answered(sent.intendedNs, sent.sentNs, nowNs, 1);
    if (!lane.hasReply) {
      lane.hasReply = true;
      ledger.now(nowNs).firstEcho.record(nowNs - sent.sentNs, 1);
    }
    this.#sendInstead(lane, 1);
    this.#closeRetired(lane);
    this.#checkSettled();
  }

  #sendFirst(lane: StampedLane): void {
    if (this.#isSending) {
      const nowNs = this.#tools.clock.nowNs();
      for (let i = 0; i < this.#options.first; i += 1) {
        this.#send(lane, nowNs, nowNs);
      }
    }
  }

  /** The closed loop: as many messages as were settled. */
  #sendInstead(lane: StampedLane, count: number): void {
    const nowNs = this.#tools.clock.nowNs();
    const isOver = !this.#isSending || lane.isRetiring || nowNs >= this.#tools.ledger.untilNs;
    for (let i = 0; i < count && !isOver && this.#options.depth > 0; i += 1) {
      this.#send(lane, nowNs, nowNs);
    }
  }

  #send(lane: StampedLane, intendedNs: number, sentNs: number): void {
    const sequence = lane.nextSequence;
    lane.nextSequence += 1;
    lane.waiting.set(sequence, { intendedNs, sentNs });
    this.inFlight += 1;
    this.#tools.ledger.sent(intendedNs, 1);
    const message = at(this.#drafts, sequence);
    const sender = lane.connection.index;
    writeStamp(message, this.#options.tag, { sender, sequence, intendedNs, sentNs });
    lane.connection.sendContent(message);
  }

  /** Gives up messages sent before `beforeNs`. */
  #lose(lane: StampedLane, beforeNs: number): number {
    let lost = 0;
    for (const [sequence, { intendedNs, sentNs }] of lane.waiting) {
      if (sentNs >= beforeNs) {
        break; // The oldest come first.
      }
      lane.waiting.delete(sequence);
      this.#tools.ledger.lost(intendedNs, 1);
      lost += 1;
    }
    this.inFlight -= lost;
    this.#closeRetired(lane);
    return lost;
  }

  #closeRetired(lane: StampedLane): void {
    if (lane.isRetiring && lane.waiting.size === 0) {
      lane.connection.close();
    }
  }

  #checkSettled(): void {
    if (!this.#isSending && this.inFlight === 0) {
      this.#tools.onSettled();
    }
  }
}
