// Sums of counters that come, go and start again, as those of threads and processes do.

export class CounterSum {
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();
  /** What all have counted since each was first seen. */
  total = 0;

  /** Of each counter, what it has counted since it was first seen. */
  get each(): ReadonlyMap<string, number> {
    return this.#sums;
  }

  /**
   * Takes the counters as they are now. One that is lower than before has started again at 0; one that is missing
   * keeps what it had.
   * @param isNew whether a counter not seen before started at 0 since the last call, so that all of it counts
   */
  take(values: ReadonlyMap<string, number>, isNew: boolean): void {
    for (const [name, value] of values) {
      const last = this.#last.get(name);
      const counted = last === undefined ? (isNew ? value : 0) : value < last ? value : value - last;
      this.total += counted;
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + counted);
      this.#last.set(name, value);
    }
  }
}
