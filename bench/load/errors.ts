// Counts errors by kind, and keeps the message of the first of each kind.

import type { ErrorTally } from "./plan.ts";

export class ErrorCounter {
  readonly #byKind: Record<string, { count: number; detail: string }> = {};

  get tally(): ErrorTally {
    return this.#byKind;
  }

  count(kind: string, detail: string, count = 1): void {
    const error = this.#byKind[kind];
    if (error === undefined) {
      this.#byKind[kind] = { count, detail };
    } else {
      error.count += count;
    }
  }
}
