// Pings (RFC 6455 section 5.5.2): one per connection and interval, each timed until its pong.

import type { Connection } from "../engine/connection.ts";
import type { Call } from "./calls.ts";
import { IdleTraffic } from "./idle-traffic.ts";
import type { TrafficTools } from "./traffic.ts";

/** One connection: when its next ping is due, and its ping without a pong. */
interface Pinged {
  readonly connection: Connection;
  dueNs: number;
  /** Of the ping without a pong; undefined when there is none. */
  waitingSinceNs: number | undefined;
  number: number;
  /** It gets no more pings. */
  isGone: boolean;
  /** It is closed once its pong has arrived. */
  isRetiring: boolean;
}

export class PingTraffic extends IdleTraffic {
  readonly #ping: TrafficTools;
  readonly #intervalNs: number;
  readonly #nextPing: Call;
  readonly #byIndex = new Map<number, Pinged>();
  /** In the order of their due pings; each moves to the end after its ping. */
  #queue: Pinged[] = [];
  #first = 0;
  #isRunning = false;
  #waiting = 0;

  constructor(tools: TrafficTools, intervalMs: number) {
    super(tools);
    this.#ping = tools;
    this.#intervalNs = intervalMs * 1e6;
    this.#nextPing = tools.calls.create(() => this.#sendDue());
  }

  override add(connection: Connection): void {
    const dueNs = this.#ping.clock.nowNs() + this.#intervalNs;
    const pinged = {
      connection,
      dueNs,
      waitingSinceNs: undefined,
      number: 0,
      isGone: false,
      isRetiring: false,
    };
    this.#byIndex.set(connection.index, pinged);
    this.#queue.push(pinged);
    if (this.#isRunning && this.#queue.length - this.#first === 1) {
      this.#nextPing.at(dueNs);
    }
  }

  override retire(connection: Connection): void {
    const pinged = this.#byIndex.get(connection.index);
    if (pinged?.waitingSinceNs === undefined) {
      this.remove(connection.index);
      connection.close();
    } else {
      pinged.isGone = true;
      pinged.isRetiring = true;
    }
  }

  override remove(index: number): void {
    const pinged = this.#byIndex.get(index);
    this.#byIndex.delete(index);
    if (pinged !== undefined) {
      pinged.isGone = true;
      this.#giveUp(pinged);
      this.#checkSettled();
    }
  }

  /** Spreads the open connections over the interval. */
  override start(startNs: number): void {
    this.#isRunning = true;
    const all = [...this.#byIndex.values()];
    all.forEach((pinged, i) => {
      pinged.dueNs = startNs + (this.#intervalNs * i) / all.length;
    });
    this.#queue = all;
    this.#first = 0;
    this.#sendDue();
  }

  override stop(): void {
    this.#isRunning = false;
    this.#nextPing.cancel();
    this.#checkSettled();
  }

  override abandon(): void {
    for (const pinged of this.#byIndex.values()) {
      this.#giveUp(pinged);
    }
  }

  override sweep(nowNs: number): void {
    const latestNs = nowNs - this.#ping.timeoutMs * 1e6;
    for (const pinged of this.#byIndex.values()) {
      if (pinged.waitingSinceNs !== undefined && pinged.waitingSinceNs < latestNs) {
        this.#giveUp(pinged);
        this.#closeRetired(pinged);
      }
    }
    this.#checkSettled();
  }

  override onPong(connection: Connection, payload: Uint8Array): void {
    const pinged = this.#byIndex.get(connection.index);
    // Unsolicited pongs are allowed (RFC 6455 section 5.5.3), and a pong may be late.
    if (pinged?.waitingSinceNs === undefined || numberIn(payload) !== pinged.number) {
      return;
    }
    const { clock, ledger } = this.#ping;
    const nowNs = clock.nowNs();
    const metrics = ledger.now(nowNs);
    metrics.counters.pongs += 1;
    metrics.ping.record(nowNs - pinged.waitingSinceNs, 1);
    pinged.waitingSinceNs = undefined;
    this.#waiting -= 1;
    this.#closeRetired(pinged);
    this.#checkSettled();
  }

  #closeRetired({ isRetiring, connection }: Pinged): void {
    if (isRetiring) {
      this.#byIndex.delete(connection.index);
      connection.close();
    }
  }

  #sendDue(): void {
    const { clock, ledger } = this.#ping;
    for (let next = this.#queue[this.#first]; next !== undefined; next = this.#queue[this.#first]) {
      const nowNs = clock.nowNs();
      if (!next.isGone && next.dueNs > nowNs) {
        this.#nextPing.at(next.dueNs);
        break;
      }
      this.#first += 1;
      if (!next.isGone) {
        if (next.waitingSinceNs === undefined) {
          next.waitingSinceNs = next.dueNs;
          next.number = (next.number + 1) % 2 ** 32;
          this.#waiting += 1;
          ledger.now(nowNs).counters.pings += 1;
          next.connection.ping(payloadOf(next.number));
        }
        next.dueNs += this.#intervalNs;
        this.#queue.push(next);
      }
    }
    if (this.#first > 1024 && this.#first > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }

  #giveUp(pinged: Pinged): void {
    if (pinged.waitingSinceNs !== undefined) {
      pinged.waitingSinceNs = undefined;
      this.#waiting -= 1;
      this.#ping.ledger.now(this.#ping.clock.nowNs()).counters.lostPings += 1;
    }
  }

  #checkSettled(): void {
    if (!this.#isRunning && this.#waiting === 0) {
      this.#ping.onSettled();
    }
  }
}

function payloadOf(number: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
}

function numberIn(payload: Uint8Array): number | undefined {
  return payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0) : undefined;
}
