// Adds up all bytes buffered for slow readers, and enforces the cap on the sum.

/** Something that holds bytes for several readers. */
export interface BufferHolder {
  /** Most bytes that one of its readers has waiting; 0 for none. */
  largest(): number;
  /** Drops that reader, and with it its bytes. */
  dropLargest(): void;
}

export class BufferBudget {
  readonly #maxBytes: number;
  readonly #onTotal: (totalBytes: number) => void;
  readonly #holders: BufferHolder[] = [];
  #total = 0;

  /** @param onTotal told of each new total */
  constructor(maxBytes: number, onTotal: (totalBytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onTotal = onTotal;
  }

  join(holder: BufferHolder): void {
    this.#holders.push(holder);
  }

  /** Counts bytes that wait from now on, or with a negative number no longer do. */
  add(bytes: number): void {
    this.#total += bytes;
    this.#onTotal(this.#total);
  }

  /** Over the cap, drops the reader with most bytes waiting, then the next, until the rest fits. */
  enforce(): void {
    while (this.#total > this.#maxBytes) {
      const before = this.#total;
      let worst: BufferHolder | undefined;
      let most = 0;
      for (const holder of this.#holders) {
        const bytes = holder.largest();
        if (bytes > most) {
          most = bytes;
          worst = holder;
        }
      }
      worst?.dropLargest();
      if (this.#total >= before) {
        return;
      }
    }
  }
}
