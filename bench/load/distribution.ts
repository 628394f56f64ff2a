// A histogram with its exact extremes, which is encoded and reset repeatedly. It allocates memory at its first value.

import type { Histogram } from "hdr-histogram-js";
import { createHistogram, encodeHistogram, highestNs } from "./histogram.ts";

/** The content of a distribution; plain data. HdrHistogram V2, in ns. */
export interface Recorded {
  readonly encoded: Uint8Array;
  readonly minNs: number;
  readonly maxNs: number;
}

export class Distribution {
  #histogram: Histogram | undefined;
  #minNs = Number.POSITIVE_INFINITY;
  #maxNs = 0;

  record(valueNs: number, count: number): void {
    const clampedNs = Math.max(0, Math.min(valueNs, highestNs));
    (this.#histogram ?? this.#create()).recordValueWithCount(clampedNs, count);
    if (clampedNs < this.#minNs) {
      this.#minNs = clampedNs;
    }
    if (clampedNs > this.#maxNs) {
      this.#maxNs = clampedNs;
    }
  }

  #create(): Histogram {
    this.#histogram ??= createHistogram(32);
    return this.#histogram;
  }

  /** Makes ready for the first value: creating and encoding a histogram for the first time takes milliseconds. */
  prepare(): void {
    encodeHistogram(this.#create());
  }

  /** Returns the values since the last call, and resets; undefined if there are none. */
  take(): Recorded | undefined {
    const histogram = this.#histogram;
    if (histogram === undefined || this.#minNs === Number.POSITIVE_INFINITY) {
      return undefined;
    }
    const recorded = { encoded: encodeHistogram(histogram), minNs: this.#minNs, maxNs: this.#maxNs };
    histogram.reset();
    this.#minNs = Number.POSITIVE_INFINITY;
    this.#maxNs = 0;
    return recorded;
  }

  /** Frees its memory. */
  destroy(): void {
    this.#histogram?.destroy();
    this.#histogram = undefined;
    this.#minNs = Number.POSITIVE_INFINITY;
    this.#maxNs = 0;
  }
}
