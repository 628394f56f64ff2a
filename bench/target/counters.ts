// Sums counters that appear, disappear and reset, such as those of threads and processes.

export class CounterSum {
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();
  /** The sum of all counters since each was first seen. */
  total = 0;

  /** The increase of each counter since it was first seen. */
  get each(): ReadonlyMap<string, number> {
    return this.#sums;
  }

  /**
   * Updates the counters. One that decreased was reset to 0; one that is missing keeps its sum.
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
