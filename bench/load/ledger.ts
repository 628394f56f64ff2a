// Records the events of a group in the step that they belong to.

import type { Metrics } from "./metrics.ts";
import { type Interval, Recorder, type Span } from "./recorder.ts";

/** An Interval of a step by its number; -1 is the time before the timeline. */
export type OnInterval = (step: number, interval: Interval) => void;

export class Ledger {
  readonly #isOpenLoop: boolean;
  readonly #onInterval: OnInterval;
  /** The time before the timeline first, then the steps. */
  readonly #recorders: Recorder[];
  /** Records events outside of all steps, which are not reported. */
  readonly #outside: Recorder;
  #current: Recorder;
  #at = 0;
  // Of the current recorder, so that entering a message is two comparisons.
  #fromNs = 0;
  #currentUntilNs = 0;
  #boundaryNs = 0;
  #metrics: Metrics;
  /** End of the last step; earlier than planned after `cutShort`. */
  untilNs = Number.POSITIVE_INFINITY;

  /**
   * @param isOpenLoop messages have a schedule, so that latency and service time differ
   * @param fromNs when connecting begins
   */
  constructor(isOpenLoop: boolean, fromNs: number, onInterval: OnInterval) {
    this.#isOpenLoop = isOpenLoop;
    this.#onInterval = onInterval;
    this.#outside = new Recorder({ fromNs, untilNs: fromNs }, () => undefined);
    this.#current = this.#create({ fromNs, untilNs: Number.POSITIVE_INFINITY }, -1);
    this.#recorders = [this.#current];
    this.#metrics = this.#current.metrics;
    this.#look();
  }

  /** The timeline begins: its steps adjoin. */
  begin(steps: readonly Span[]): void {
    this.#recorders.push(...steps.map((span, number) => this.#create(span, number)));
    const fromNs = steps[0]?.fromNs ?? 0;
    this.untilNs = steps.at(-1)?.untilNs ?? fromNs;
    this.#current.endAt(fromNs);
    this.#look();
    for (const { metrics } of this.#recorders.slice(1)) {
      metrics.latency.prepare();
      if (this.#isOpenLoop) {
        metrics.service.prepare();
        metrics.lag.prepare();
      }
    }
  }

  /** When the current interval ends; Infinity after the last one. */
  get boundaryNs(): number {
    return this.#boundaryNs;
  }

  /** The metrics at `nowNs`, for events that do not concern a message. */
  now(nowNs: number): Metrics {
    this.roll(nowNs);
    return this.#of(nowNs);
  }

  /** `count` messages that were due at `intendedNs` were sent. */
  sent(intendedNs: number, count: number): void {
    this.#of(intendedNs).counters.sent += count;
  }

  /** A message that was due at `intendedNs` could not be sent before the end of the timeline. Call after it. */
  unsent(intendedNs: number): void {
    const metrics = this.#of(intendedNs);
    metrics.counters.unsent += 1;
    metrics.latency.record(this.untilNs - intendedNs, 1);
    metrics.unsentLatency.record(this.untilNs - intendedNs, 1);
  }

  /** The generator was late, not because of the target. */
  lag(intendedNs: number, sentNs: number): void {
    this.#of(intendedNs).lag.record(sentNs - intendedNs, 1);
  }

  /** Messages arrived at `nowNs`. Call before `answered`. */
  arrived(nowNs: number, count: number, bytes: number): void {
    this.roll(nowNs);
    const { counters } = this.#of(nowNs);
    counters.received += count;
    counters.receivedBytes += bytes;
  }

  /** `count` messages with the same due and send time were answered. */
  answered(intendedNs: number, sentNs: number, nowNs: number, count: number): void {
    const metrics = this.#of(intendedNs);
    metrics.counters.answered += count;
    metrics.latency.record(nowNs - intendedNs, count);
    if (this.#isOpenLoop) {
      metrics.service.record(nowNs - sentNs, count);
    }
  }

  /** A reply arrived that differs from its message. */
  corrupt(intendedNs: number): void {
    this.#of(intendedNs).counters.corrupt += 1;
  }

  /** These messages will never be answered. */
  lost(intendedNs: number, count: number): void {
    this.#of(intendedNs).counters.lost += count;
  }

  /** These may not have reached the target before its close frame. */
  crossed(intendedNs: number, count: number): void {
    this.#of(intendedNs).counters.crossed += count;
  }

  /** Closes every interval that ended at or before `nowNs`. */
  roll(nowNs: number): void {
    if (nowNs >= this.#boundaryNs) {
      this.#move(nowNs);
    }
  }

  /** Ends the timeline now, unless it is already over. */
  cutShort(nowNs: number): void {
    this.roll(nowNs);
    if (nowNs < this.untilNs) {
      this.#current.cutShort(nowNs);
      this.#look();
      this.#recorders.length = this.#at + 1;
      this.untilNs = this.#current.untilNs;
    }
  }

  /** Reports the rest and ends the ledger. */
  finish(nowNs: number): void {
    this.cutShort(nowNs);
    for (const recorder of this.#recorders) {
      recorder.flush(nowNs);
    }
    this.#outside.metrics.release();
  }

  #create(span: Span, number: number): Recorder {
    return new Recorder(span, (interval) => this.#onInterval(number, interval));
  }

  #of(timeNs: number): Metrics {
    return timeNs >= this.#fromNs && timeNs < this.#currentUntilNs
      ? this.#metrics
      : this.#find(timeNs).metrics;
  }

  #look(): void {
    const { fromNs, untilNs, boundaryNs, metrics } = this.#current;
    this.#fromNs = fromNs;
    this.#currentUntilNs = untilNs;
    this.#boundaryNs = boundaryNs;
    this.#metrics = metrics;
  }

  #find(timeNs: number): Recorder {
    return (
      this.#recorders.find(({ fromNs, untilNs }) => timeNs >= fromNs && timeNs < untilNs) ?? this.#outside
    );
  }

  #move(nowNs: number): void {
    this.#current.roll(nowNs);
    while (nowNs >= this.#current.untilNs && this.#at + 1 < this.#recorders.length) {
      this.#at += 1;
      this.#current = this.#recorders[this.#at] ?? this.#current;
      this.#current.roll(nowNs);
    }
    this.#look();
    for (const recorder of this.#recorders.slice(0, this.#at)) {
      recorder.flush(nowNs);
    }
  }
}
