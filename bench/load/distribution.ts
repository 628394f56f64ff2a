// One histogram that is filled, taken and filled again, with its exact extremes. It takes memory from its first value on.

import type { Histogram } from "hdr-histogram-js";
import { createHistogram, encodeHistogram, highestNs } from "./histogram.ts";

/** What a distribution held; plain data. HdrHistogram V2, in ns. */
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

  /** What was recorded since the last call, and starts afresh; undefined for nothing. */
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

  /** Gives its memory back; what was not taken is lost. */
  destroy(): void {
    this.#histogram?.destroy();
    this.#histogram = undefined;
    this.#minNs = Number.POSITIVE_INFINITY;
    this.#maxNs = 0;
  }
}
