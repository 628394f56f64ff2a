// Owns the open loop: messages leave when the schedule says so, whether or not earlier ones were answered.
// Must not know sockets or histograms.

import type { Client, Lane } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Pacer } from "./pacer.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Bounds on memory, far beyond what a target that keeps up ever sees: messages unanswered on one connection and on all.
 * Beyond them what is due waits, and its latency shows it.
 */
const connectionInFlightLimit = 65_536;
const inFlightLimit = 1_048_576;

/** Due times that are held at once; the others are still in the pacer. */
const dueLimit = 4096;

/** Nearer than this to the next due time, a timer is too coarse and the loop spins instead. */
const spinBelowNs = 2e6;

/** An idle turn takes a few microseconds. One that took longer was interrupted, so its CPU time was somebody else's. */
const idleTurnLimitNs = 20_000;

export interface OpenLoopOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly recorder: Recorder;
}

export class OpenLoop {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #pacer: Pacer;
  readonly #recorder: Recorder;
  /** Due times of messages that have not been sent yet, oldest first. */
  readonly #dueNs = new Float64Array(dueLimit);
  #due = 0;
  #turn = 0;
  #isRunning = false;
  #cancelTimer: (() => void) | undefined;
  #lastTickNs = 0;
  #lastActivity = -1;
  /** What was due before this moment waited for the target to take something, not for the generator. */
  #heldUntilNs = 0;
  /** Time spent spinning with nothing to do: CPU time, but not work. */
  idleSpinNs = 0;

  constructor(options: OpenLoopOptions) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#pacer = options.pacer;
    this.#recorder = options.recorder;
  }

  start(): void {
    this.#isRunning = true;
    this.#tick();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancelTimer?.();
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) {
      return;
    }
    const nowNs = this.#clock.nowNs();
    if (this.#client.activity === this.#lastActivity) {
      this.idleSpinNs += Math.min(nowNs - this.#lastTickNs, idleTurnLimitNs);
    }
    this.#collectDue(nowNs);
    this.#sendDue();
    this.#lastTickNs = nowNs;
    this.#lastActivity = this.#client.activity;
    this.#scheduleTick(nowNs);
  };

  #scheduleTick(nowNs: number): void {
    const gapNs = this.#pacer.nextNs - nowNs;
    if (this.#due > 0 || gapNs < spinBelowNs) {
      this.#clock.callSoon(this.#tick);
      return;
    }
    this.#lastActivity = -1; // Asleep is not spinning.
    this.#cancelTimer = this.#clock.callAfterMs(Math.floor(gapNs / 1e6) - 1, this.#tick);
  }

  #collectDue(nowNs: number): void {
    const limitNs = Math.min(nowNs, this.#recorder.untilNs);
    while (
      this.#pacer.nextNs <= limitNs &&
      this.#pacer.nextNs < this.#recorder.untilNs &&
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
      const until = Math.min(
        this.#due,
        sent + Math.min(share, connectionInFlightLimit - lane.outstanding.size),
      );
      const sentNs = this.#clock.nowNs();
      this.#recordLag(sent, until, sentNs);
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
        this.#recorder.lag(intendedNs, sentNs);
      }
    }
  }

  #nextLaneWithRoom(): Lane | undefined {
    const { lanes } = this.#client;
    if (this.#client.inFlight >= inFlightLimit) {
      return undefined;
    }
    for (let tried = 0; tried < lanes.length; tried += 1) {
      this.#turn = (this.#turn + 1) % lanes.length;
      const lane = lanes[this.#turn];
      if (
        lane !== undefined &&
        lane.outstanding.size < connectionInFlightLimit &&
        !lane.connection.isClogged()
      ) {
        return lane;
      }
    }
    return undefined;
  }
}
