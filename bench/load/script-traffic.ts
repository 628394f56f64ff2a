// Scripts: every connection sends, expects and pauses, and repeats that.

import type { Connection } from "../engine/connection.ts";
import type { ScriptStep } from "../scenario/traffic.ts";
import { IdleTraffic } from "./idle-traffic.ts";
import type { Timers } from "./timers.ts";
import type { TrafficTools } from "./traffic.ts";

/** Maximum of messages that arrive before they are expected; beyond that, the oldest are dropped. */
const unreadLimit = 100;

type Action = Exclude<ScriptStep, { kind: "repeat" }>;

/** One connection and its position in the script. */
interface Player {
  readonly connection: Connection;
  actions: Generator<Action>;
  /** The expected message; undefined while it pauses, or before the start. */
  expected: { readonly contains: Uint8Array | null; readonly sinceNs: number } | undefined;
  /** When it sent last. */
  sentNs: number;
  readonly unread: { readonly content: Uint8Array; readonly atNs: number }[];
  isGone: boolean;
}

export class ScriptTraffic extends IdleTraffic {
  readonly #tools: TrafficTools;
  readonly #timers: Timers;
  readonly #steps: readonly ScriptStep[];
  readonly #players = new Map<number, Player>();
  #isRunning = false;
  #hasGivenUp = false;

  constructor(tools: TrafficTools, timers: Timers, steps: readonly ScriptStep[]) {
    super(tools);
    this.#tools = tools;
    this.#timers = timers;
    this.#steps = steps;
  }

  override get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  override add(connection: Connection): void {
    const player: Player = {
      connection,
      actions: play(this.#steps),
      expected: undefined,
      sentNs: 0,
      unread: [],
      isGone: false,
    };
    this.#players.set(connection.index, player);
    if (this.#isRunning) {
      this.#goOn(player);
    }
  }

  override retire(connection: Connection): void {
    const player = this.#players.get(connection.index);
    this.#players.delete(connection.index);
    if (player !== undefined) {
      player.isGone = true;
    }
    connection.close();
    this.#checkSettled();
  }

  override remove(index: number): void {
    const player = this.#players.get(index);
    this.#players.delete(index);
    if (player !== undefined) {
      player.isGone = true;
      this.#lose(player);
    }
    this.#checkSettled();
  }

  override start(_startNs: number): void {
    this.#isRunning = true;
    for (const player of [...this.#players.values()]) {
      this.#goOn(player);
    }
  }

  override stop(): void {
    this.#isRunning = false;
    this.#checkSettled();
  }

  override abandon(): void {
    for (const player of this.#players.values()) {
      this.#lose(player);
    }
  }

  override sweep(nowNs: number): void {
    const { timeoutMs, countError } = this.#tools;
    for (const player of [...this.#players.values()]) {
      if (player.expected !== undefined && nowNs - player.expected.sinceNs > timeoutMs * 1e6) {
        countError("expectation-timeout", `an expected message did not arrive within ${timeoutMs} ms`);
        this.#lose(player);
        player.actions = play(this.#steps);
        this.#goOn(player);
      }
    }
    this.#checkSettled();
  }

  override onMessage(connection: Connection, content: Uint8Array): void {
    const player = this.#players.get(connection.index);
    const { clock, ledger } = this.#tools;
    const nowNs = clock.nowNs();
    ledger.arrived(nowNs, 1, content.length);
    if (player === undefined) {
      return;
    }
    if (player.expected === undefined) {
      player.unread.push({ content: Buffer.from(content), atNs: nowNs });
      player.unread.splice(0, Math.max(0, player.unread.length - unreadLimit));
    } else if (isMatch(content, player.expected.contains)) {
      this.#met(player, nowNs);
      this.#goOn(player);
    }
    this.#checkSettled();
  }

  /** Plays until the connection has to wait. */
  #goOn(player: Player): void {
    const { clock, ledger, random } = this.#tools;
    while (this.#isRunning && !player.isGone) {
      const { value: action, done } = player.actions.next();
      if (done === true) {
        return;
      }
      switch (action.kind) {
        case "send":
          player.sentNs = clock.nowNs();
          ledger.sent(player.sentNs, 1);
          player.connection.sendContent(action.content);
          break;
        case "expect":
          player.expected = { contains: action.contains, sinceNs: clock.nowNs() };
          if (!this.#takeUnread(player)) {
            return;
          }
          break;
        case "think": {
          const ms = action.isExponential ? -Math.log(1 - random()) * action.ms : action.ms;
          this.#timers.callAfterMs(ms, () => this.#goOn(player));
          return;
        }
      }
    }
  }

  /** Removes early messages, up to the expected one. */
  #takeUnread(player: Player): boolean {
    const { unread, expected } = player;
    const at = unread.findIndex(({ content }) => isMatch(content, expected?.contains ?? null));
    const found = unread[at];
    unread.splice(0, at < 0 ? unread.length : at + 1);
    if (found !== undefined) {
      this.#met(player, found.atNs);
    }
    return found !== undefined;
  }

  #met(player: Player, atNs: number): void {
    player.expected = undefined;
    this.#tools.ledger.answered(player.sentNs, player.sentNs, Math.max(atNs, player.sentNs), 1);
  }

  #lose(player: Player): void {
    if (player.expected !== undefined) {
      this.#hasGivenUp = true;
      player.expected = undefined;
      this.#tools.ledger.lost(player.sentNs, 1);
    }
  }

  #checkSettled(): void {
    const isWaiting = (): boolean =>
      [...this.#players.values()].some(({ expected }) => expected !== undefined);
    if (!this.#isRunning && !isWaiting()) {
      this.#tools.onSettled();
    }
  }
}

/** Repeats the script endlessly. */
function* play(steps: readonly ScriptStep[]): Generator<Action> {
  for (;;) {
    yield* once(steps);
  }
}

function* once(steps: readonly ScriptStep[]): Generator<Action> {
  for (const step of steps) {
    if (step.kind !== "repeat") {
      yield step;
      continue;
    }
    for (let i = 0; i < step.times; i += 1) {
      yield* once(step.steps);
    }
  }
}

function isMatch(content: Uint8Array, contains: Uint8Array | null): boolean {
  return contains === null || bufferOf(content).includes(bufferOf(contains));
}

/** The same bytes. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
