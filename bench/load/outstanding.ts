// The unanswered messages of one connection: a ring of send times.

/** Called for answered messages: `count` of them were due at `intendedNs` and sent at `sentNs`. */
export type Settle = (intendedNs: number, sentNs: number, count: number) => void;

const initialRuns = 16;

/**
 * Echoes keep their order, so a reply belongs to the oldest unanswered message. Messages sent together share one entry
 * (a run), so the cost of a batch does not depend on its size. The ring grows to the maximum of runs in flight and is
 * then reused: nothing is allocated per message.
 */
export class Outstanding {
  #intendedNs = new Float64Array(initialRuns);
  #sentNs = new Float64Array(initialRuns);
  #counts = new Float64Array(initialRuns);
  #firstRun = 0;
  #runs = 0;
  /** Messages in flight. */
  size = 0;

  push(intendedNs: number, sentNs: number, count: number): void {
    if (this.#runs === this.#counts.length) {
      this.#grow();
    }
    const slot = (this.#firstRun + this.#runs) & (this.#counts.length - 1);
    this.#intendedNs[slot] = intendedNs;
    this.#sentNs[slot] = sentNs;
    this.#counts[slot] = count;
    this.#runs += 1;
    this.size += count;
  }

  /** Send time of the oldest message; Infinity if none is in flight. */
  get oldestSentNs(): number {
    return this.#runs === 0 ? Number.POSITIVE_INFINITY : (this.#sentNs[this.#firstRun] ?? 0);
  }

  /** Messages in flight that were sent before `beforeNs`. */
  countSentBefore(beforeNs: number): number {
    let count = 0;
    for (let i = 0; i < this.#runs; i += 1) {
      const slot = (this.#firstRun + i) & (this.#counts.length - 1);
      if ((this.#sentNs[slot] ?? 0) >= beforeNs) {
        break;
      }
      count += this.#counts[slot] ?? 0;
    }
    return count;
  }

  /** Removes the `count` oldest messages, or as many as there are, and returns how many that was. */
  take(count: number, settle: Settle): number {
    const taken = Math.min(count, this.size);
    let left = taken;
    while (left > 0) {
      const slot = this.#firstRun;
      const inRun = this.#counts[slot] ?? 0;
      const now = Math.min(left, inRun);
      settle(this.#intendedNs[slot] ?? 0, this.#sentNs[slot] ?? 0, now);
      if (now === inRun) {
        this.#firstRun = (slot + 1) & (this.#counts.length - 1);
        this.#runs -= 1;
      } else {
        this.#counts[slot] = inRun - now;
      }
      left -= now;
    }
    this.size -= taken;
    return taken;
  }

  #grow(): void {
    this.#intendedNs = unrolled(this.#intendedNs, this.#firstRun);
    this.#sentNs = unrolled(this.#sentNs, this.#firstRun);
    this.#counts = unrolled(this.#counts, this.#firstRun);
    this.#firstRun = 0;
  }
}

/** A ring of twice the size, with the oldest entry first. */
function unrolled(ring: Float64Array<ArrayBuffer>, first: number): Float64Array<ArrayBuffer> {
  const bigger = new Float64Array(ring.length * 2);
  bigger.set(ring.subarray(first), 0);
  bigger.set(ring.subarray(0, first), ring.length - first);
  return bigger;
}
