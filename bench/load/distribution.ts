// One histogram that is filled, taken and filled again, with its exact extremes.

import { createHistogram, encodeHistogram, highestNs } from "./histogram.ts";

/** What a distribution held; plain data. HdrHistogram V2, in ns, with Infinity and 0 as extremes when it held nothing. */
export interface Recorded {
  readonly encoded: Uint8Array;
  readonly minNs: number;
  readonly maxNs: number;
}

export class Distribution {
  readonly #histogram = createHistogram(32);
  minNs = Number.POSITIVE_INFINITY;
  maxNs = 0;

  record(valueNs: number, count: number): void {
    const clampedNs = Math.max(0, Math.min(valueNs, highestNs));
    this.#histogram.recordValueWithCount(clampedNs, count);
    if (clampedNs < this.minNs) {
      this.minNs = clampedNs;
    }
    if (clampedNs > this.maxNs) {
      this.maxNs = clampedNs;
    }
  }

  /** Encodes what was recorded since the last call, and starts afresh. */
  take(): Uint8Array {
    const encoded = encodeHistogram(this.#histogram);
    this.#histogram.reset();
    this.minNs = Number.POSITIVE_INFINITY;
    this.maxNs = 0;
    return encoded;
  }

  /** The same with the extremes. */
  takeAll(): Recorded {
    const { minNs, maxNs } = this;
    return { encoded: this.take(), minNs, maxNs };
  }

  destroy(): void {
    this.#histogram.destroy();
  }
}
