// Opens the connections of one group in one thread, closes them, and opens them again.

import type { Connection, Ending } from "../engine/connection.ts";
import { largestOf, valueAt } from "../scenario/curve.ts";
import type { Population as Described } from "../scenario/population.ts";
import { type Change, changesOf, shareOf } from "./arrivals.ts";
import { backoffMs, lifetimeMs } from "./backoff.ts";
import type { Call, Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";
import type { Timers } from "./timers.ts";

/** Handshakes under way at a time, of what is due at once. */
const connectingLimit = 128;

export interface PopulationOptions {
  readonly described: Described;
  readonly thread: { readonly index: number; readonly count: number };
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly timers: Timers;
  readonly ledger: Ledger;
  readonly random: () => number;
  /** Begins to open a connection; its client's number is the connection's index. */
  readonly connect: (index: number) => void;
  /** Closes a connection, after what it is waiting for. */
  readonly leave: (connection: Connection) => void;
  readonly countError: (kind: string, detail: string, count?: number) => void;
  /** Each client that is due at the start has its connection, or could not get one. */
  readonly onSettled: () => void;
}

/**
 * absent: has no connection, and is not to have one. waiting: to try again. leaving: we have closed its connection.
 * gone: lost its connection, and does not come back.
 */
type State = "absent" | "connecting" | "open" | "waiting" | "leaving" | "gone";

/** One client, who has at most one connection at a time. */
interface Client {
  readonly index: number;
  state: State;
  /** It is to have a connection. */
  isWanted: boolean;
  connection: Connection | undefined;
  /** When the connection that is on its way was due, and when its last stage ended. */
  dueNs: number;
  markNs: number;
  /** Attempts in a row that failed. */
  failures: number;
  /** When it lost its connection; undefined while it has one, or never had. */
  lostNs: number | undefined;
  /** When it was to have a connection, or lost it; undefined while it has one. */
  sinceNs: number | undefined;
  hasTried: boolean;
}

export class Population {
  readonly #options: PopulationOptions;
  readonly #clients: Client[];
  readonly #nextChange: Call;
  /** Clients that have tried for the first time, of those due at the start. */
  #atStart = 0;
  #triedAtStart = 0;
  #isSettled = false;
  #isStopped = false;
  #connecting = 0;
  #wanted = 0;
  #open = 0;
  #gone = 0;
  /** Connections that have opened, and those that could not be opened or were not tried. */
  opened = 0;
  failed = 0;
  lastOpenedNs = 0;
  #changes: Generator<Change> | undefined;
  #pending: Change | undefined;
  #startNs = 0;
  /** When the next client may begin, at a connect rate. */
  #turnNs = Number.NEGATIVE_INFINITY;

  constructor(options: PopulationOptions) {
    this.#options = options;
    const count = shareOf(largestOf(options.described.size), options.thread);
    this.#clients = Array.from({ length: count }, (_, index) => ({
      index,
      state: "absent",
      isWanted: false,
      connection: undefined,
      dueNs: 0,
      markNs: 0,
      failures: 0,
      lostNs: undefined,
      sinceNs: undefined,
      hasTried: false,
    }));
    this.#nextChange = options.calls.create(() => this.#makeChanges());
  }

  /** Clients that have a connection, and those that are to have one and have none. */
  get openConnections(): number {
    return this.#open;
  }

  get absentClients(): number {
    return Math.max(0, this.#wanted - this.#open);
  }

  get isEmpty(): boolean {
    return this.#clients.length === 0;
  }

  /** Every client has lost its connection for good, and no other is to come. */
  get isExhausted(): boolean {
    return this.#gone > 0 && this.#gone === this.#wanted && this.#pending === undefined;
  }

  /** Opens the connections that are due at the start. */
  open(): void {
    const { described, thread, clock } = this.#options;
    const nowNs = clock.nowNs();
    this.lastOpenedNs = nowNs;
    this.#atStart = shareOf(valueAt(described.size, 0), thread);
    this.#turnNs = nowNs + this.#turnGapNs() * (thread.index / thread.count);
    this.#changes = jumpOf(this.#atStart);
    this.#startNs = nowNs;
    this.#takeChange();
    this.#makeChanges();
    this.#checkSettled();
  }

  /** Follows the size over the timeline. */
  follow(startNs: number): void {
    const { described, thread, random } = this.#options;
    this.#startNs = startNs;
    this.#turnNs = startNs + this.#turnGapNs() * (thread.index / thread.count);
    this.#changes = changesOf(described.size, thread, described.arrivals, random);
    this.#takeChange();
    this.#makeChanges();
  }

  /** Opens no more connections. */
  stop(): void {
    this.#isStopped = true;
    this.#pending = undefined;
    this.#nextChange.cancel();
  }

  onStage(index: number, stage: "connected" | "secured"): void {
    const client = this.#clients[index];
    if (client !== undefined) {
      const nowNs = this.#options.clock.nowNs();
      const metrics = this.#options.ledger.now(nowNs);
      (stage === "connected" ? metrics.tcp : metrics.tls).record(nowNs - client.markNs, 1);
      client.markNs = nowNs;
    }
  }

  onOpen(connection: Connection): void {
    const client = this.#clients[connection.index];
    if (client === undefined) {
      return;
    }
    const { clock, ledger, described } = this.#options;
    const nowNs = clock.nowNs();
    const { counters, upgrade, open, gap, absence } = ledger.now(nowNs);
    counters.opened += 1;
    this.opened += 1;
    counters.compressed += connection.isCompressed ? 1 : 0;
    upgrade.record(nowNs - client.markNs, 1);
    open.record(nowNs - client.dueNs, 1);
    if (client.lostNs !== undefined) {
      counters.reconnected += 1;
      gap.record(nowNs - client.lostNs, 1);
    }
    if (client.sinceNs !== undefined) {
      absence.record(nowNs - client.sinceNs, 1);
    }
    client.lostNs = undefined;
    client.sinceNs = undefined;
    client.failures = 0;
    client.connection = connection;
    client.state = "open";
    this.#open += 1;
    this.#connecting -= 1;
    this.lastOpenedNs = nowNs;
    if (described.lifetime !== null) {
      const ms = lifetimeMs(described.lifetime, this.#options.random);
      this.#options.timers.callAfterMs(ms, () => this.#expire(client, connection));
    }
    if (!client.isWanted) {
      this.#leave(client);
    }
    this.#tried(client);
    this.#makeChanges();
  }

  /** A connection has ended, or could not be opened. Returns whether that was the target's doing. */
  onClosed(index: number, ending: Ending): boolean {
    const client = this.#clients[index];
    if (client === undefined) {
      return false;
    }
    const nowNs = this.#options.clock.nowNs();
    const { state } = client;
    client.connection = undefined;
    if (state === "leaving") {
      client.state = "absent";
      if (client.isWanted && !this.#isStopped) {
        this.#begin(client, nowNs);
      }
      return false;
    }
    if (state === "open") {
      this.#open -= 1;
      client.lostNs = nowNs;
      client.sinceNs = nowNs;
      this.#countClosed(ending, nowNs);
    } else {
      this.#connecting -= 1;
      this.#countFailed(ending, nowNs);
    }
    this.#comeBack(client, ending, nowNs);
    if (state !== "open") {
      this.#tried(client);
      this.#giveUpSilent(ending, nowNs);
      this.#makeChanges();
    }
    return true;
  }

  #countClosed(ending: Ending, nowNs: number): void {
    const { ledger, described, countError } = this.#options;
    const code = codeOf(ending);
    const metrics = ledger.now(nowNs);
    metrics.ended(ending.kind, code, null);
    if (described.expectedCloses.includes(code)) {
      metrics.counters.closedExpected += 1;
    } else {
      metrics.counters.closed += 1;
      countError(ending.kind, ending.detail);
    }
  }

  #countFailed(ending: Ending, nowNs: number): void {
    const metrics = this.#options.ledger.now(nowNs);
    metrics.ended(ending.kind, null, ending.status ?? null);
    metrics.counters.failed += 1;
    metrics.counters.retryAfter += ending.retryAfterMs === undefined ? 0 : 1;
    this.failed += 1;
    this.#options.countError(ending.kind, ending.detail);
  }

  #comeBack(client: Client, ending: Ending, nowNs: number): void {
    const { described, random, timers } = this.#options;
    const { reconnect } = described;
    if (!client.isWanted) {
      client.state = "absent";
    } else if (reconnect.kind === "never" || this.#isStopped) {
      client.state = "gone";
      this.#gone += 1;
    } else {
      client.state = "waiting";
      const ms = Math.max(backoffMs(reconnect, client.failures, random), ending.retryAfterMs ?? 0);
      client.failures += 1;
      timers.callAfterMs(ms, () => {
        if (client.state === "waiting" && !this.#isStopped) {
          this.#begin(client, nowNs + ms * 1e6);
        }
      });
    }
  }

  /** Where nobody answers the first connections for the whole time-out, the others are not tried. */
  #giveUpSilent(ending: Ending, nowNs: number): void {
    const { timeoutMs, countError, described, ledger } = this.#options;
    const left = this.#atStart - this.#wanted;
    const isSilent = ending.kind === "handshake-timeout" && nowNs - this.lastOpenedNs >= timeoutMs * 1e6;
    if (this.#isSettled || !isSilent || left <= 0 || described.reconnect.kind !== "never") {
      return;
    }
    this.#pending = undefined;
    this.#changes = undefined;
    this.#nextChange.cancel();
    this.#wanted += left;
    this.#gone += left;
    this.#triedAtStart += left;
    ledger.now(nowNs).counters.failed += left;
    this.failed += left;
    countError(
      "not-tried",
      `no connection was answered within ${timeoutMs} ms, so the others were not tried`,
      left,
    );
    this.#checkSettled();
  }

  #takeChange(): void {
    const next = this.#changes?.next();
    this.#pending = next === undefined || next.done === true ? undefined : next.value;
  }

  /** Makes the changes that are due, as far as it is their turn. */
  #makeChanges(): void {
    for (let change = this.#pending; change !== undefined && !this.#isStopped; change = this.#pending) {
      const dueNs = this.#turnOf(change);
      const nowNs = this.#options.clock.nowNs();
      if (dueNs > nowNs) {
        this.#nextChange.at(dueNs);
        return;
      }
      const isPaced = !change.isJump || change.by < 0 || this.#options.described.connectRate !== undefined;
      if (!isPaced && this.#connecting >= connectingLimit) {
        return; // The end of a handshake goes on from here.
      }
      this.#takeChange();
      if (change.by < 0) {
        this.#removeOne();
      } else {
        this.#addOne(isPaced ? dueNs : nowNs, dueNs);
      }
    }
  }

  /** When a change is due: at a connect rate, clients take turns, and those of several threads interleave. */
  #turnOf({ atMs, by }: Change): number {
    const atNs = this.#startNs + atMs * 1e6;
    return by < 0 || this.#options.described.connectRate === undefined ? atNs : Math.max(atNs, this.#turnNs);
  }

  #turnGapNs(): number {
    const { connectRate } = this.#options.described;
    return connectRate === undefined ? 0 : (this.#options.thread.count * 1e9) / connectRate;
  }

  #removeOne(): void {
    this.#wanted -= 1;
    const client = this.#clients[this.#wanted];
    if (client !== undefined) {
      this.#leave(client);
    }
  }

  /** @param sinceNs when the client was to have a connection, which may be before its turn to begin */
  #addOne(dueNs: number, sinceNs: number): void {
    const { described, random } = this.#options;
    const gap = described.arrivals === "even" ? 1 : -Math.log(1 - random());
    this.#turnNs = dueNs + gap * this.#turnGapNs();
    const client = this.#clients[this.#wanted];
    this.#wanted += 1;
    if (client !== undefined) {
      client.isWanted = true;
      client.sinceNs = sinceNs;
      if (client.state === "absent") {
        this.#begin(client, dueNs);
      }
      // One that is still leaving begins again once its connection has ended.
    }
  }

  #begin(client: Client, dueNs: number): void {
    const { clock, ledger, connect } = this.#options;
    const nowNs = clock.nowNs();
    const metrics = ledger.now(nowNs);
    metrics.counters.begun += 1;
    metrics.connectLag.record(nowNs - dueNs, 1);
    client.dueNs = dueNs;
    client.markNs = nowNs;
    client.state = "connecting";
    this.#connecting += 1;
    connect(client.index);
  }

  /** The client is not to have a connection any more. */
  #leave(client: Client): void {
    client.isWanted = false;
    switch (client.state) {
      case "open":
        this.#open -= 1;
        client.state = "leaving";
        this.#options.ledger.now(this.#options.clock.nowNs()).counters.left += 1;
        this.#close(client);
        break;
      case "gone":
        this.#gone -= 1;
        client.state = "absent";
        break;
      case "waiting":
        client.state = "absent";
        client.lostNs = undefined;
        client.sinceNs = undefined;
        break;
      default:
        break; // One that is connecting leaves once it is open.
    }
  }

  #expire(client: Client, connection: Connection): void {
    if (client.state === "open" && client.connection === connection && !this.#isStopped) {
      this.#open -= 1;
      client.state = "leaving";
      this.#options.ledger.now(this.#options.clock.nowNs()).counters.expired += 1;
      this.#close(client);
    }
  }

  #close({ connection }: Client): void {
    if (connection !== undefined) {
      this.#options.leave(connection);
    }
  }

  #tried(client: Client): void {
    if (!client.hasTried) {
      client.hasTried = true;
      this.#triedAtStart += 1;
      this.#checkSettled();
    }
  }

  #checkSettled(): void {
    if (!this.#isSettled && this.#triedAtStart >= this.#atStart && !this.#isStopped) {
      this.#isSettled = true;
      this.#options.onSettled();
    }
  }
}

function* jumpOf(count: number): Generator<Change> {
  for (let i = 0; i < count; i += 1) {
    yield { atMs: 0, by: 1, isJump: true };
  }
}

/** Without a close frame it is 1006 (RFC 6455 section 7.1.5). */
function codeOf({ kind }: Ending): number {
  const [, code] = /^closed-(\d{4})$/.exec(kind) ?? [];
  return code === undefined ? 1006 : Number(code);
}
