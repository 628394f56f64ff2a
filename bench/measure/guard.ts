// Checks every second whether to end a session early.

import { formatDuration } from "../../src/lib/units.ts";
import type { SecondFigures } from "../load/seconds.ts";
import type { Abort, AbortMetric, Guards, Step } from "../scenario/scenario.ts";

/** Why a session ended early. */
export interface EarlyEnd {
  readonly cause:
    | "interrupted"
    | "aborted"
    | "target-gone"
    | "too-many-failures"
    | "not-connected"
    | "late-start";
  /** A sentence for the report. */
  readonly reason: string;
}

export class Guard {
  readonly #steps: readonly Step[];
  readonly #guards: Guards;
  readonly #heldMs = new Map<Abort, number>();
  #goneMs = 0;
  #failures = 0;
  #errors = 0;

  constructor(steps: readonly Step[], guards: Guards) {
    this.#steps = steps;
    this.#guards = guards;
  }

  /** @param errors total of the session so far */
  judge(second: SecondFigures, errors: number): EarlyEnd | undefined {
    const newErrors = Math.max(0, errors - this.#errors);
    this.#errors = errors;
    return this.#gone(second) ?? this.#failed(second) ?? this.#aborted(second, newErrors);
  }

  #gone(second: SecondFigures): EarlyEnd | undefined {
    const isGone = second.openConnections === 0 && second.absentClients > 0 && second.counters.opened === 0;
    this.#goneMs = isGone ? this.#goneMs + lengthMs(second) : 0;
    return this.#goneMs < this.#guards.goneAfterMs
      ? undefined
      : {
          cause: "target-gone",
          reason: `no connection could be opened for ${formatDuration(this.#guards.goneAfterMs)}`,
        };
  }

  #failed({ counters }: SecondFigures): EarlyEnd | undefined {
    this.#failures += counters.failed + counters.closed;
    return this.#failures <= this.#guards.maxFailures
      ? undefined
      : {
          cause: "too-many-failures",
          reason: `more than ${this.#guards.maxFailures} connections failed or were closed by the target`,
        };
  }

  #aborted(second: SecondFigures, newErrors: number): EarlyEnd | undefined {
    for (const abort of this.#steps[second.step]?.abortIf ?? []) {
      const actual = figureOf(abort.metric, second, newErrors);
      const held = holds(abort, actual) ? (this.#heldMs.get(abort) ?? 0) + lengthMs(second) : 0;
      this.#heldMs.set(abort, held);
      if (held > 0 && held >= abort.forMs) {
        return {
          cause: "aborted",
          reason: `${abort.expression} held for ${formatDuration(Math.round(held))}`,
        };
      }
    }
    return undefined;
  }
}

function lengthMs({ startNs, endNs }: SecondFigures): number {
  return (endNs - startNs) / 1e6;
}

/** Times in microseconds; undefined if there is no value. */
function figureOf(metric: AbortMetric, second: SecondFigures, newErrors: number): number | undefined {
  const { latencyNs, lagNs, counters } = second;
  switch (metric) {
    case "p50":
    case "p99":
    case "max":
      return latencyNs === undefined ? undefined : latencyNs[metric] / 1000;
    case "lag":
      return lagNs === undefined ? undefined : lagNs / 1000;
    case "rate":
      return (counters.received * 1000) / lengthMs(second);
    case "errors":
      return newErrors;
    case "closed":
    case "failed":
      return counters[metric];
  }
}

function holds({ operator, value }: Abort, actual: number | undefined): boolean {
  if (actual === undefined) {
    return false;
  }
  switch (operator) {
    case ">":
      return actual > value;
    case ">=":
      return actual >= value;
    case "<":
      return actual < value;
    case "<=":
      return actual <= value;
  }
}
