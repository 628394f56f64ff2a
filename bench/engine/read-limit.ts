// Limits how fast a connection reads.

/** A reader of nothing still tries a byte per second: an end of the connection shows in no other way. */
const leastBytesPerSecond = 1;

/** Bytes that one read may bring at such a rate. */
export function readBytesAt(bytesPerSecond: number): number {
  return Math.min(64 * 1024, Math.max(1, Math.ceil(bytesPerSecond / 10)));
}

export class ReadLimit {
  readonly #bytesPerSecond: number;
  readonly #resume: () => void;
  #mayReadMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param resume called when it may read again */
  constructor(bytesPerSecond: number, resume: () => void) {
    this.#bytesPerSecond = Math.max(leastBytesPerSecond, bytesPerSecond);
    this.#resume = resume;
  }

  /** After a read of so many bytes: whether it may go on at once. */
  mayReadOn(bytes: number): boolean {
    const nowMs = performance.now();
    this.#mayReadMs = Math.max(nowMs, this.#mayReadMs) + (1000 * bytes) / this.#bytesPerSecond;
    const waitMs = this.#mayReadMs - nowMs;
    if (waitMs < 1) {
      return true;
    }
    this.#timer = setTimeout(this.#resume, waitMs);
    return false;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
