// One group of connections in one thread: connects its population, its traffic and its ledger.

import type { Connection, ConnectionEvents, Ending, Engine } from "../engine/connection.ts";
import type { Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import { createEchoTraffic, createStampedTraffic } from "./echo-traffic.ts";
import { FanoutTraffic } from "./fanout-traffic.ts";
import { IdleTraffic } from "./idle-traffic.ts";
import { Ledger, type OnInterval } from "./ledger.ts";
import { ListenTraffic } from "./listen-traffic.ts";
import { PingTraffic } from "./ping-traffic.ts";
import type { GroupPlan, GroupStep, Plan } from "./plan.ts";
import { Population } from "./population.ts";
import type { Span } from "./recorder.ts";
import { ScriptTraffic } from "./script-traffic.ts";
import type { Timers } from "./timers.ts";
import type { Traffic, TrafficTools } from "./traffic.ts";
import { WireMeter } from "./wire.ts";

export interface GroupOptions {
  readonly plan: Plan;
  readonly group: GroupPlan;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly timers: Timers;
  readonly random: () => number;
  readonly onInterval: OnInterval;
  readonly countError: (kind: string, detail: string, count?: number) => void;
  /** Every connection that is due at the start has opened or failed. */
  readonly onConnected: () => void;
  readonly onOpen: () => void;
  /** Nothing is in flight any more, after `stop`. */
  readonly onSettled: () => void;
  /** A connection has ended; after `close`, the last one perhaps. */
  readonly onClosed: () => void;
}

export class Group implements ConnectionEvents {
  readonly ledger: Ledger;
  readonly population: Population;
  readonly traffic: Traffic;
  readonly #options: GroupOptions;
  readonly #open = new Map<number, Connection>();
  /** Open connections that have received a close frame. */
  readonly #ending = new Set<number>();
  readonly #wire = new WireMeter(this.#open);
  #phase: "before" | "running" | "draining" | "closing" = "before";
  /** Some messages have timed out; their replies are late, not surplus. */
  #hasGivenUp = false;
  #isSettled = false;

  constructor(options: GroupOptions) {
    const { plan, group, clock, calls, timers, random, countError } = options;
    this.#options = options;
    const { traffic } = group;
    const isOpenLoop = traffic.kind === "fanout" || (traffic.kind === "echo" && traffic.loop.kind === "open");
    this.ledger = new Ledger(isOpenLoop, clock.nowNs(), options.onInterval);
    this.population = new Population({
      described: group.population,
      thread: plan.thread,
      timeoutMs: plan.timeoutMs,
      clock,
      calls,
      timers,
      ledger: this.ledger,
      random,
      connect: (index) => options.engine(index, this.#addressOf(index), this),
      leave: (connection) => this.traffic.retire(connection),
      countError,
      onSettled: options.onConnected,
    });
    this.traffic = createTraffic(
      group,
      {
        clock,
        calls,
        ledger: this.ledger,
        thread: plan.thread,
        phase: plan.phase,
        timeoutMs: plan.timeoutMs,
        random,
        countError,
        onSettled: () => {
          if (this.#phase === "draining" && !this.#isSettled) {
            this.#isSettled = true;
            options.onSettled();
          }
        },
      },
      timers,
    );
  }

  get isClosed(): boolean {
    return this.#open.size === 0;
  }

  begin(steps: readonly Span[]): void {
    this.ledger.begin(steps);
  }

  start(startNs: number): void {
    this.#phase = "running";
    this.population.follow(startNs);
    this.traffic.start(startNs);
  }

  beginStep(fromNs: number): void {
    this.#wire.start();
    this.traffic.beginStep(fromNs);
  }

  endStep(untilNs: number): GroupStep {
    return { wire: this.#wire.stop(), dispersion: this.traffic.endStep(untilNs) };
  }

  /** Stops sending and opening connections; waits for replies. */
  stop(): void {
    this.#phase = "draining";
    this.population.stop();
    this.traffic.stop();
  }

  /** Gives up messages in flight, and closes all connections. */
  close(): void {
    this.#hasGivenUp = this.traffic.hasGivenUp;
    this.traffic.abandon();
    this.#phase = "closing";
    for (const connection of [...this.#open.values()]) {
      connection.close();
    }
  }

  destroy(): void {
    for (const connection of [...this.#open.values()]) {
      connection.destroy();
    }
  }

  onStage(index: number, stage: "connected" | "secured"): void {
    this.population.onStage(index, stage);
  }

  onOpen(connection: Connection): void {
    if (this.#phase === "closing") {
      connection.destroy();
      return;
    }
    this.#open.set(connection.index, connection);
    this.traffic.add(connection);
    this.population.onOpen(connection);
    this.#options.onOpen();
  }

  onReplies(connection: Connection, count: number): void {
    if (this.#phase === "running" || this.#phase === "draining") {
      this.traffic.onReplies(connection, count);
    } else if (!this.#hasGivenUp) {
      this.#options.countError("surplus-reply", "more replies arrived than messages were sent", count);
    }
  }

  onBadReply(connection: Connection, kind: string, detail: string): void {
    if (this.#phase !== "closing") {
      this.#options.countError(kind, detail);
      this.traffic.onBadReply(connection);
    }
  }

  onUnasked(_connection: Connection, kind: string, detail: string): void {
    if (!this.#hasGivenUp) {
      this.#options.countError(kind, detail);
    }
  }

  onMissing(connection: Connection, count: number): void {
    if (this.#phase !== "closing") {
      this.traffic.onMissing(connection, count);
    }
  }

  onMessage(connection: Connection, content: Uint8Array): void {
    if (this.#phase !== "closing") {
      this.traffic.onMessage(connection, content);
    }
  }

  onPong(connection: Connection, payload: Uint8Array): void {
    if (this.#phase !== "closing") {
      this.traffic.onPong(connection, payload);
    }
  }

  onEnding(connection: Connection): void {
    if (this.#phase !== "closing" && !this.#ending.has(connection.index)) {
      this.#ending.add(connection.index);
      this.traffic.remove(connection.index, true);
    }
  }

  onClosed(index: number, ending: Ending): void {
    const connection = this.#open.get(index);
    this.#open.delete(index);
    const hasSaidSo = this.#ending.delete(index);
    if (this.#phase !== "closing") {
      if (connection !== undefined) {
        this.#wire.closed(connection);
        if (!hasSaidSo) {
          this.traffic.remove(index, false);
        }
      }
      this.population.onClosed(index, ending);
    }
    this.#options.onClosed();
  }

  #addressOf(index: number): string | undefined {
    const { localAddresses } = this.#options.group;
    return localAddresses[index % Math.max(1, localAddresses.length)];
  }
}

function createTraffic(group: GroupPlan, tools: TrafficTools, timers: Timers): Traffic {
  const { traffic, endpoint, tag } = group;
  switch (traffic.kind) {
    case "idle":
      return new IdleTraffic(tools);
    case "ping":
      return new PingTraffic(tools, traffic.intervalMs);
    case "echo":
      return traffic.match === "stamp"
        ? createStampedTraffic(tools, traffic.loop, endpoint.payloads, tag)
        : createEchoTraffic(tools, traffic, endpoint.payloads);
    case "listen":
      return new ListenTraffic(tools, traffic.onOpen);
    case "fanout":
      return new FanoutTraffic(tools, { ...traffic, tag });
    case "script":
      return new ScriptTraffic(tools, timers, traffic.steps);
  }
}
