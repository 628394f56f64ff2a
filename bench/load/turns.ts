// Schedules the changes of a population: when its size changes, or at a connect rate.

import type { Population } from "../scenario/population.ts";
import type { Change } from "./arrivals.ts";

/** A change, and when it is due. */
export interface Turn {
  readonly by: Change["by"];
  /** When it is its turn. */
  readonly dueNs: number;
  /** When the size changed, which may be earlier. */
  readonly askedNs: number;
  /** It has a time of its own, so that it can be late; others are made as fast as handshakes complete. */
  readonly isPaced: boolean;
}

export class Turns {
  readonly #arrivals: Population["arrivals"];
  readonly #random: () => number;
  /** Between two clients of this thread, at the connect rate; undefined without one. */
  readonly #gapNs: number | undefined;
  readonly #firstNs: number;
  #changes: Generator<Change> | undefined;
  #startNs = 0;
  #turnNs = 0;
  /** The oldest change that is not made yet. */
  next: Turn | undefined;

  /** Threads that share a connect rate interleave. */
  constructor(
    { arrivals, connectRate }: Population,
    thread: { readonly index: number; readonly count: number },
    random: () => number,
  ) {
    this.#arrivals = arrivals;
    this.#random = random;
    this.#gapNs = connectRate === undefined ? undefined : (thread.count * 1e9) / connectRate;
    this.#firstNs = (this.#gapNs ?? 0) * (thread.index / thread.count);
  }

  begin(changes: Generator<Change>, startNs: number): void {
    this.#changes = changes;
    this.#startNs = startNs;
    this.#turnNs = startNs + this.#firstNs;
    this.advance();
  }

  /** The next change has been made. */
  advance(): void {
    if (this.next?.by === 1 && this.#gapNs !== undefined) {
      const gap = this.#arrivals === "even" ? 1 : -Math.log(1 - this.#random());
      this.#turnNs = this.next.dueNs + gap * this.#gapNs;
    }
    const change = this.#changes?.next();
    this.next = change === undefined || change.done === true ? undefined : this.#turnOf(change.value);
  }

  /** No more changes are made. */
  clear(): void {
    this.#changes = undefined;
    this.next = undefined;
  }

  #turnOf({ atMs, by, isJump }: Change): Turn {
    const askedNs = this.#startNs + atMs * 1e6;
    const isAtRate = by === 1 && this.#gapNs !== undefined;
    return {
      by,
      dueNs: isAtRate ? Math.max(askedNs, this.#turnNs) : askedNs,
      askedNs,
      isPaced: isAtRate || by === -1 || !isJump,
    };
  }
}
