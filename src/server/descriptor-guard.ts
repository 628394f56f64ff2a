// Keeps the process from running out of descriptors, because with none left uWS spins at 100 % on its listening socket.
// Stops listening before that point, and listens again below it.

import { bump, type Stats, slot } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import { openDescriptors } from "../system/resources.ts";
import type { Listener } from "./listener.ts";

/** Interval at which the count is compared with the system's, in milliseconds. */
const checkIntervalMs = 1000;

export class DescriptorGuard {
  readonly #limit: number;
  readonly #listener: Listener;
  readonly #stats: Stats;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #countOpen: () => number | undefined;
  /** Descriptors not used by clients. */
  readonly #others: number;
  #sockets = 0;
  #isPaused = false;

  /**
   * @param limit sockets at which listening stops; start it once the server listens
   * @param countOpen counts the descriptors of the process, because `opened` and `closed` miss some changes
   */
  constructor(
    limit: number,
    listener: Listener,
    stats: Stats,
    log: Log,
    countOpen: () => number | undefined = openDescriptors,
  ) {
    this.#limit = limit;
    this.#listener = listener;
    this.#stats = stats;
    this.#log = log;
    this.#countOpen = countOpen;
    this.#others = countOpen() ?? 0;
    this.#timer = setInterval(() => this.#check(), checkIntervalMs).unref();
  }

  /** A socket was accepted. */
  opened(): void {
    this.#set(this.#sockets + 1);
    if (this.#sockets >= this.#limit && !this.#isPaused) {
      this.#isPaused = true;
      // With neither a listener nor a socket left, only this timer keeps the process alive to listen again.
      this.#timer.ref();
      this.#listener.close();
      bump(this.#stats, slot.listenPauses);
      this.#log.warn(
        { listener: this.#listener.name, sockets: this.#sockets, limit: this.#limit },
        "file descriptors are running out: listening paused",
      );
    }
  }

  /** A socket, or the WebSocket on it, has closed. */
  closed(): void {
    this.#set(this.#sockets - 1);
    this.#resume();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#isPaused = false;
  }

  // uWS reports a closed WebSocket when its close frame is sent, while the descriptor stays open a little longer.
  #check(): void {
    if (this.#sockets < this.#limit / 2 && !this.#isPaused) {
      return;
    }
    const open = this.#countOpen();
    if (open !== undefined) {
      this.#set(Math.max(0, open - this.#others));
    }
    this.#resume();
  }

  #resume(): void {
    if (!this.#isPaused || this.#sockets > this.#limit * 0.95) {
      return;
    }
    if (!this.#listener.reopen()) {
      return;
    }
    this.#isPaused = false;
    this.#timer.unref();
    const { name } = this.#listener;
    this.#log.info({ listener: name, sockets: this.#sockets, limit: this.#limit }, "listening resumed");
  }

  #set(sockets: number): void {
    bump(this.#stats, slot.sockets, sockets - this.#sockets);
    this.#sockets = sockets;
  }
}
