// Measures how evenly messages are sent: the variance of counts in equal spans of time, over their mean.

/** Messages that a span holds on average, and the shortest span. */
const messagesPerSpan = 10;
const shortestSpanNs = 1e6;

/** The index of dispersion: 0 for an even schedule, 1 for independent arrivals, more for bursts. */
export class Dispersion {
  readonly #fromNs: number;
  readonly #spanNs: number;
  #span = 0;
  #count = 0;
  #spans = 0;
  #sum = 0;
  #sumOfSquares = 0;

  /** @param intervalNs between messages, on average */
  constructor(fromNs: number, intervalNs: number) {
    this.#fromNs = fromNs;
    this.#spanNs = Math.max(shortestSpanNs, messagesPerSpan * intervalNs);
  }

  /** `count` messages were sent; times must not decrease, and those before the start do not count. */
  sent(atNs: number, count: number): void {
    if (atNs >= this.#fromNs) {
      this.#closeUntil(atNs);
      this.#count += count;
    }
  }

  /** The index over all whole spans until `untilNs`; undefined when there are fewer than ten. */
  finish(untilNs: number): number | undefined {
    this.#closeUntil(untilNs);
    if (this.#spans < 10 || this.#sum === 0) {
      return undefined;
    }
    const mean = this.#sum / this.#spans;
    return (this.#sumOfSquares / this.#spans - mean * mean) / mean;
  }

  #closeUntil(atNs: number): void {
    const span = Math.floor((atNs - this.#fromNs) / this.#spanNs);
    if (span > this.#span) {
      this.#spans += span - this.#span;
      this.#sum += this.#count;
      this.#sumOfSquares += this.#count * this.#count;
      this.#count = 0;
      this.#span = span;
    }
  }
}
