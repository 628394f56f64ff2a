// Owns the generator's hot path: sending messages and matching replies to them, and with that the closed loop.
// Must not know how bytes travel (an engine does) or how figures are summed up (the recorder does).
//
// Per reply: no allocation, no closure, no clock read of its own. The clock is read once per socket read.

import type { Connection } from "../engine/connection.ts";
import { at } from "../engine/payload.ts";
import type { Clock } from "./clock.ts";
import { Outstanding } from "./outstanding.ts";
import type { Recorder } from "./recorder.ts";

/** One open connection and what it has in flight. */
export class Lane {
  readonly connection: Connection;
  readonly outstanding = new Outstanding();
  sentCount = 0;
  repliedCount = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}

export interface ClientOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly payloads: readonly Uint8Array[];
  /** Messages in flight per connection; 0 when someone else (the open loop) decides what is sent. */
  readonly depth: number;
  /** More replies came than messages were sent. */
  readonly onSurplus: (count: number) => void;
  /** The last message in flight was answered or lost. */
  readonly onAllSettled: () => void;
}

/** The load on a set of open connections. */
export class Client {
  /** The open connections; may shrink at any time. */
  readonly lanes: Lane[] = [];
  readonly #options: ClientOptions;
  readonly #recorder: Recorder;
  readonly #laneOf: (Lane | undefined)[] = [];
  readonly #uniformBytes: number | undefined;
  #isSending = false;
  /** Messages without a reply on all connections. */
  inFlight = 0;
  /** Changes with every message sent or answered: tells a busy loop from an idle one. */
  activity = 0;
  #nowNs = 0;

  // Bound once, so that settling a reply allocates nothing.
  readonly #settleAnswered = (intendedNs: number, sentNs: number, count: number): void => {
    this.#recorder.answered(intendedNs, sentNs, this.#nowNs, count);
  };
  readonly #settleCorrupt = (intendedNs: number): void => {
    this.#recorder.corrupt(intendedNs);
  };
  readonly #settleLost = (intendedNs: number, _sentNs: number, count: number): void => {
    this.#recorder.lost(intendedNs, count);
  };

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#recorder = options.recorder;
    this.#uniformBytes = options.payloads.length === 1 ? at(options.payloads, 0).length : undefined;
  }

  add(connection: Connection): void {
    const lane = new Lane(connection);
    this.lanes.push(lane);
    this.#laneOf[connection.index] = lane;
  }

  /** The connection is gone: what it had in flight is lost. */
  remove(index: number): void {
    const lane = this.#laneOf[index];
    if (lane === undefined) {
      return;
    }
    this.#laneOf[index] = undefined;
    this.lanes.splice(this.lanes.indexOf(lane), 1);
    this.#lose(lane);
    this.#checkSettled();
  }

  /** Starts the closed loop: every connection sends `depth` messages, and one more for each reply. */
  start(): void {
    this.#isSending = true;
    const { clock, depth } = this.#options;
    if (depth > 0) {
      for (const lane of [...this.lanes]) {
        this.#sendNow(lane, depth, clock.nowNs());
      }
    }
  }

  /** Sends nothing from here on; replies are still taken. */
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
      this.#recorder.sent(intendedNs, 1);
    }
    this.#send(lane, until - from);
  }

  onReplies(connection: Connection, count: number): void {
    const lane = this.#laneOf[connection.index];
    if (lane === undefined) {
      return;
    }
    const nowNs = this.#options.clock.nowNs();
    const known = Math.min(count, lane.outstanding.size);
    this.#nowNs = nowNs;
    this.#recorder.arrived(nowNs, known, this.#payloadBytes(lane, known));
    lane.outstanding.take(known, this.#settleAnswered);
    this.#settled(lane, known, nowNs);
    if (count > known) {
      this.#options.onSurplus(count - known);
    }
  }

  /** A reply that failed its check still answers the oldest message. */
  onBadReply(connection: Connection): void {
    const lane = this.#laneOf[connection.index];
    if (lane === undefined) {
      return;
    }
    const known = lane.outstanding.take(1, this.#settleCorrupt);
    this.#settled(lane, known, this.#options.clock.nowNs());
  }

  #settled(lane: Lane, count: number, nowNs: number): void {
    lane.repliedCount += count;
    this.inFlight -= count;
    this.activity += count;
    if (this.#isSending && this.#options.depth > 0 && nowNs < this.#recorder.untilNs && count > 0) {
      this.#sendNow(lane, count, nowNs);
    } else {
      this.#checkSettled();
    }
  }

  #sendNow(lane: Lane, count: number, nowNs: number): void {
    this.#recorder.sent(nowNs, count);
    lane.outstanding.push(nowNs, nowNs, count);
    this.#send(lane, count);
  }

  #send(lane: Lane, count: number): void {
    const sequence = lane.sentCount;
    lane.sentCount += count;
    this.inFlight += count;
    this.activity += count;
    lane.connection.send(sequence, count);
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
