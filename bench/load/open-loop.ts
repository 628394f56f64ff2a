// The open loop: sends messages when they are due, whether or not earlier ones are answered.

import type { Connection } from "../engine/connection.ts";
import type { Call, Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Dispersion } from "./dispersion.ts";
import type { Ledger } from "./ledger.ts";
import type { Pacer } from "./pacer.ts";

/**
 * Limits of unanswered messages on one connection and on all, which bound memory; a target that keeps up never reaches
 * them. Further due messages are held back, and their latency includes the wait.
 */
const connectionInFlightLimit = 65_536;
const inFlightLimit = 1_048_576;

/** Maximum of buffered due times; the others are still in the pacer. */
const dueLimit = 4096;

/** Interval of retries while the target accepts no more messages. */
const heldPollNs = 500_000;

/** A connection that can send messages. */
export interface LoopLane {
  readonly connection: Connection;
  /** Messages on it without a reply. */
  readonly inFlight: number;
  /** Nothing more is sent on it. */
  readonly isRetiring: boolean;
}

/** Sends due messages. */
export interface LoopClient<L extends LoopLane> {
  readonly lanes: readonly L[];
  /** Messages without a reply on all connections. */
  readonly inFlight: number;
  /**
   * Sends the lane's next messages, one for each due time in `dueNs` [from, until).
   * @param sentNs the clock just before
   */
  sendDue(lane: L, dueNs: Float64Array, from: number, until: number, sentNs: number): void;
}

export interface OpenLoopOptions<L extends LoopLane> {
  readonly client: LoopClient<L>;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly pacer: Pacer;
  readonly ledger: Ledger;
}

export class OpenLoop<L extends LoopLane> {
  readonly #client: LoopClient<L>;
  readonly #clock: Clock;
  readonly #pacer: Pacer;
  readonly #ledger: Ledger;
  readonly #nextTick: Call;
  /** Measures how evenly messages are sent, if set. */
  dispersion: Dispersion | undefined;
  /** Due times of messages that have not been sent yet, oldest first. */
  readonly #dueNs = new Float64Array(dueLimit);
  #due = 0;
  #turn = 0;
  #isRunning = false;
  /** Messages due before this time waited for the target, not for the generator. */
  #heldUntilNs = 0;

  constructor(options: OpenLoopOptions<L>) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#pacer = options.pacer;
    this.#ledger = options.ledger;
    this.#nextTick = options.calls.create(this.#tick);
  }

  start(): void {
    this.#isRunning = true;
    this.#tick();
  }

  /** Sends messages due by the end of the timeline, and counts those that the target does not accept by then as unsent. */
  stop(): void {
    this.#isRunning = false;
    this.#nextTick.cancel();
    const { untilNs } = this.#ledger;
    let isHeld = false;
    while (!isHeld && (this.#due > 0 || this.#pacer.nextNs < untilNs)) {
      this.#collectDue(untilNs);
      this.#sendDue();
      isHeld = this.#due > 0;
    }
    for (let i = 0; i < this.#due; i += 1) {
      this.#ledger.unsent(this.#dueNs[i] ?? untilNs);
    }
    for (; this.#pacer.nextNs < untilNs; this.#pacer.advance()) {
      this.#ledger.unsent(this.#pacer.nextNs);
    }
    this.#due = 0;
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) {
      return;
    }
    this.#collectDue(this.#clock.nowNs());
    this.#sendDue();
    const nextNs = this.#due > 0 ? this.#clock.nowNs() + heldPollNs : this.#pacer.nextNs;
    if (nextNs < this.#ledger.untilNs) {
      this.#nextTick.at(nextNs);
    }
  };

  #collectDue(nowNs: number): void {
    const limitNs = Math.min(nowNs, this.#ledger.untilNs);
    while (
      this.#pacer.nextNs <= limitNs &&
      this.#pacer.nextNs < this.#ledger.untilNs &&
      this.#due < dueLimit
    ) {
      this.#dueNs[this.#due] = this.#pacer.nextNs;
      this.#due += 1;
      this.#pacer.advance();
    }
  }

  /** Connections take turns. When more is due than there are connections, each gets its share in one write. */
  #sendDue(): void {
    if (this.#due === 0) {
      return;
    }
    const share = Math.ceil(this.#due / Math.max(1, this.#client.lanes.length));
    let sent = 0;
    while (sent < this.#due) {
      const lane = this.#nextLaneWithRoom();
      if (lane === undefined) {
        this.#heldUntilNs = this.#clock.nowNs();
        break;
      }
      const until = Math.min(this.#due, sent + Math.min(share, connectionInFlightLimit - lane.inFlight));
      const sentNs = this.#clock.nowNs();
      this.#recordLag(sent, until, sentNs);
      this.dispersion?.sent(sentNs, until - sent);
      this.#client.sendDue(lane, this.#dueNs, sent, until, sentNs);
      sent = until;
    }
    this.#dueNs.copyWithin(0, sent, this.#due);
    this.#due -= sent;
  }

  #recordLag(from: number, until: number, sentNs: number): void {
    for (let i = from; i < until; i += 1) {
      const intendedNs = this.#dueNs[i] ?? sentNs;
      if (intendedNs > this.#heldUntilNs) {
        this.#ledger.lag(intendedNs, sentNs);
      }
    }
  }

  #nextLaneWithRoom(): L | undefined {
    const { lanes } = this.#client;
    if (this.#client.inFlight >= inFlightLimit) {
      return undefined;
    }
    for (let tried = 0; tried < lanes.length; tried += 1) {
      this.#turn = (this.#turn + 1) % lanes.length;
      const lane = lanes[this.#turn];
      if (
        lane !== undefined &&
        !lane.isRetiring &&
        lane.inFlight < connectionInFlightLimit &&
        !lane.connection.isClogged()
      ) {
        return lane;
      }
    }
    return undefined;
  }
}
