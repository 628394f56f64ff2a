// Adds up all bytes buffered for slow readers, and enforces the cap on the sum.

/** Something that holds bytes for several readers. */
export interface BufferHolder {
  /** Bytes buffered for its slowest reader; 0 for none. */
  largest(): number;
  /** Drops that reader and its bytes. */
  dropLargest(): void;
}

export class BufferBudget {
  readonly #maxBytes: number;
  readonly #onTotal: (totalBytes: number) => void;
  readonly #holders: BufferHolder[] = [];
  #total = 0;

  /** @param onTotal called with each new total */
  constructor(maxBytes: number, onTotal: (totalBytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onTotal = onTotal;
  }

  join(holder: BufferHolder): void {
    this.#holders.push(holder);
  }

  /** Adds buffered bytes, or subtracts them with a negative number. */
  add(bytes: number): void {
    this.#total += bytes;
    this.#onTotal(this.#total);
  }

  /** Over the cap, drops the readers with the most bytes until the rest fits. */
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
