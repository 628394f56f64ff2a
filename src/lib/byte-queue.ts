// A queue of bytes in segments of one size. Appending copies; many small chunks cost no more than one large chunk.

/** Segments that are kept for reuse; more are left to the garbage collector. */
const maxSpare = 256;

/** Lends segments to many queues, so that a stream does not allocate for each chunk. */
export class SegmentPool {
  readonly segmentBytes: number;
  readonly #spare: Uint8Array[] = [];

  constructor(segmentBytes: number) {
    this.segmentBytes = segmentBytes;
  }

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(this.segmentBytes);
  }

  give(segment: Uint8Array): void {
    if (this.#spare.length < maxSpare) {
      this.#spare.push(segment);
    }
  }
}

export class ByteQueue {
  readonly #pool: SegmentPool;
  #segments: Uint8Array[] = [];
  /** Where the next byte is in the first segment. */
  #start = 0;
  /** Where the last segment ends. */
  #end = 0;
  #length = 0;

  constructor(pool: SegmentPool) {
    this.#pool = pool;
  }

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    const { segmentBytes } = this.#pool;
    let at = 0;
    while (at < bytes.length) {
      let last = this.#segments.at(-1);
      if (last === undefined || this.#end === segmentBytes) {
        last = this.#pool.take();
        this.#segments.push(last);
        this.#end = 0;
      }
      const part = bytes.subarray(at, at + segmentBytes - this.#end);
      last.set(part, this.#end);
      this.#end += part.length;
      at += part.length;
    }
    this.#length += bytes.length;
  }

  /** The next bytes, at most `maxBytes`, from the first segment. They are valid until the next call. */
  peek(maxBytes: number): Uint8Array {
    const first = this.#segments[0];
    if (first === undefined) {
      return new Uint8Array(0);
    }
    const end = this.#segments.length === 1 ? this.#end : first.length;
    return first.subarray(this.#start, Math.min(end, this.#start + maxBytes));
  }

  /** Removes the next `bytes`, which `peek` has returned. */
  skip(bytes: number): void {
    this.#start += bytes;
    this.#length -= bytes;
    const [first] = this.#segments;
    const isLast = this.#segments.length === 1;
    if (first !== undefined && this.#start >= (isLast ? this.#end : first.length)) {
      this.#segments.shift();
      this.#pool.give(first);
      this.#start = 0;
    }
  }

  clear(): void {
    for (const segment of this.#segments) {
      this.#pool.give(segment);
    }
    this.#segments = [];
    this.#start = 0;
    this.#end = 0;
    this.#length = 0;
  }
}
