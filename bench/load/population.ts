// Opens the connections of one group in one thread, closes them, and opens them again.

import type { Connection, Ending } from "../engine/connection.ts";
import { largestOf, valueAt } from "../scenario/curve.ts";
import type { Population as Described } from "../scenario/population.ts";
import { type Change, changesOf, shareOf } from "./arrivals.ts";
import { backoffMs, lifetimeMs } from "./backoff.ts";
import type { Call, Calls } from "./calls.ts";
import type { Clock } from "./clock.ts";
import type { Ledger } from "./ledger.ts";
import type { Metrics } from "./metrics.ts";
import {
  createClients,
  type PopulationClient,
  recordBegun,
  recordClosed,
  recordFailed,
  recordOpened,
  recordStage,
} from "./population-client.ts";
import type { Timers } from "./timers.ts";
import { Turns } from "./turns.ts";

/** Maximum of concurrent handshakes of connections that are due at once. */
const connectingLimit = 128;

/** Ends of connections that never opened since the target said nothing. */
const silentEndings = new Set(["handshake-timeout", "first-message-timeout"]);

export interface PopulationOptions {
  readonly described: Described;
  readonly thread: { readonly index: number; readonly count: number };
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly timers: Timers;
  readonly ledger: Ledger;
  readonly random: () => number;
  /** Starts to open a connection; its client's number is the connection's index. */
  readonly connect: (index: number) => void;
  /** Closes a connection once its messages are settled. */
  readonly leave: (connection: Connection) => void;
  readonly countError: (kind: string, detail: string, count?: number) => void;
  /** Each client that is due at the start has opened its connection or failed. */
  readonly onSettled: () => void;
}

export class Population {
  readonly #options: PopulationOptions;
  readonly #clients: PopulationClient[];
  readonly #turns: Turns;
  readonly #nextTurn: Call;
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

  constructor(options: PopulationOptions) {
    const { described, thread, random, calls } = options;
    this.#options = options;
    this.#clients = createClients(shareOf(largestOf(described.size), thread));
    this.#turns = new Turns(described, thread, random);
    this.#nextTurn = calls.create(() => this.#makeChanges());
  }

  /** Clients with a connection, and clients that should have one but have none. */
  get openConnections(): number {
    return this.#open;
  }

  get absentClients(): number {
    return Math.max(0, this.#wanted - this.#open);
  }

  /** Clients that have lost their connection permanently. */
  get goneClients(): number {
    return this.#gone;
  }

  /** No client has a connection or will have one. */
  get isOver(): boolean {
    return this.#gone === this.#wanted && this.#turns.next === undefined;
  }

  /** Opens the connections that are due at the start. */
  open(): void {
    const { described, thread, clock } = this.#options;
    const nowNs = clock.nowNs();
    this.lastOpenedNs = nowNs;
    this.#atStart = shareOf(valueAt(described.size, 0), thread);
    this.#turns.begin(jumpOf(this.#atStart), nowNs);
    this.#makeChanges();
    this.#checkSettled();
  }

  /** Follows the size over the timeline. */
  follow(startNs: number): void {
    const { described, thread, random } = this.#options;
    this.#turns.begin(changesOf(described.size, thread, described.arrivals, random), startNs);
    this.#makeChanges();
  }

  /** Stops opening connections. */
  stop(): void {
    this.#isStopped = true;
    this.#turns.clear();
    this.#nextTurn.cancel();
  }

  onStage(index: number, stage: "connected" | "secured"): void {
    const client = this.#clients[index];
    if (client !== undefined) {
      const nowNs = this.#options.clock.nowNs();
      recordStage(this.#options.ledger.now(nowNs), client, stage, nowNs);
    }
  }

  onOpen(connection: Connection): void {
    const client = this.#clients[connection.index];
    if (client === undefined) {
      return;
    }
    const { clock, ledger, described } = this.#options;
    const nowNs = clock.nowNs();
    recordOpened(ledger.now(nowNs), client, connection, nowNs);
    this.opened += 1;
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

  /** A connection has ended or failed to open. Returns whether the target caused that. */
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
      if (recordClosed(this.#metrics(nowNs), ending, this.#options.described.expectedCloses)) {
        this.#options.countError(ending.kind, ending.detail);
      }
    } else {
      this.#connecting -= 1;
      recordFailed(this.#metrics(nowNs), ending);
      this.failed += 1;
      this.#options.countError(ending.kind, ending.detail);
    }
    this.#comeBack(client, ending, nowNs);
    if (state !== "open") {
      this.#tried(client);
      this.#giveUpSilent(ending, nowNs);
      this.#makeChanges();
    }
    return true;
  }

  #metrics(nowNs: number): Metrics {
    return this.#options.ledger.now(nowNs);
  }

  #comeBack(client: PopulationClient, ending: Ending, nowNs: number): void {
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
      client.waits += 1;
      const { waits } = client;
      timers.callAfterMs(ms, () => {
        if (client.state === "waiting" && client.waits === waits && !this.#isStopped) {
          this.#begin(client, nowNs + ms * 1e6);
        }
      });
    }
  }

  /** If none of the first connections is answered within the timeout, gives up the others. */
  #giveUpSilent(ending: Ending, nowNs: number): void {
    const { timeoutMs, countError, described, ledger } = this.#options;
    const left = this.#atStart - this.#wanted;
    const isSilent = silentEndings.has(ending.kind) && nowNs - this.lastOpenedNs >= timeoutMs * 1e6;
    if (this.#isSettled || !isSilent || left <= 0 || described.reconnect.kind !== "never") {
      return;
    }
    this.#turns.clear();
    this.#nextTurn.cancel();
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

  /** Makes the due changes whose turn has come. */
  #makeChanges(): void {
    for (let turn = this.#turns.next; turn !== undefined && !this.#isStopped; turn = this.#turns.next) {
      const nowNs = this.#options.clock.nowNs();
      if (turn.dueNs > nowNs) {
        this.#nextTurn.at(turn.dueNs);
        return;
      }
      if (!turn.isPaced && this.#connecting >= connectingLimit) {
        return; // The end of a handshake goes on from here.
      }
      this.#turns.advance();
      if (turn.by < 0) {
        this.#removeOne();
      } else {
        this.#addOne(turn.isPaced ? turn.dueNs : nowNs, turn.askedNs);
      }
    }
  }

  #removeOne(): void {
    this.#wanted -= 1;
    const client = this.#clients[this.#wanted];
    if (client !== undefined) {
      this.#leave(client);
    }
  }

  /** @param sinceNs when the client needs a connection, which may be before its turn */
  #addOne(dueNs: number, sinceNs: number): void {
    const client = this.#clients[this.#wanted];
    this.#wanted += 1;
    if (client !== undefined) {
      client.isWanted = true;
      client.sinceNs = sinceNs;
      if (client.state === "absent") {
        this.#begin(client, dueNs);
      }
      // A client that is still leaving reconnects once its connection has ended.
    }
  }

  #begin(client: PopulationClient, dueNs: number): void {
    const { clock, ledger, connect } = this.#options;
    const nowNs = clock.nowNs();
    recordBegun(ledger.now(nowNs), client, dueNs, nowNs);
    client.state = "connecting";
    this.#connecting += 1;
    connect(client.index);
  }

  /** The client no longer needs a connection. */
  #leave(client: PopulationClient): void {
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

  #expire(client: PopulationClient, connection: Connection): void {
    if (client.state === "open" && client.connection === connection && !this.#isStopped) {
      this.#open -= 1;
      client.state = "leaving";
      this.#options.ledger.now(this.#options.clock.nowNs()).counters.expired += 1;
      this.#close(client);
    }
  }

  #close({ connection }: PopulationClient): void {
    if (connection !== undefined) {
      this.#options.leave(connection);
    }
  }

  #tried(client: PopulationClient): void {
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
