// Joins the pieces of a message, without a copy if there is only one.

const nothing = Buffer.alloc(0);

export class MessageBuffer {
  /** A piece in the read buffer, which is only valid until the next read. */
  #view: Uint8Array | undefined;
  #stored = nothing;
  #storedBytes = 0;

  piece(chunk: Uint8Array, start: number, end: number): void {
    this.keep();
    this.#view = chunk.subarray(start, end);
  }

  /** Call before the read buffer is used again. */
  keep(): void {
    const view = this.#view;
    if (view === undefined) {
      return;
    }
    this.#view = undefined;
    const bytes = this.#storedBytes + view.length;
    if (bytes > this.#stored.length) {
      const bigger = Buffer.allocUnsafe(Math.max(1024, 2 * bytes));
      this.#stored.copy(bigger, 0, 0, this.#storedBytes);
      this.#stored = bigger;
    }
    this.#stored.set(view, this.#storedBytes);
    this.#storedBytes = bytes;
  }

  /** Returns the complete message, valid until the next piece. */
  take(): Uint8Array {
    const view = this.#view;
    if (view !== undefined && this.#storedBytes === 0) {
      this.#view = undefined;
      return view;
    }
    this.keep();
    const message = this.#stored.subarray(0, this.#storedBytes);
    this.#storedBytes = 0;
    return message;
  }
}
