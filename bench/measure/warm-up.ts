// Warms up a target: applies the load until rate and median are steady.

import { hasSettled } from "../result/steadiness.ts";
import { type MeasureOptions, measure, type Progress } from "./measure.ts";
import type { WebSocketScenario } from "./scenario.ts";

/** A target that is not steady by then is measured anyway. */
const longestWarmUpMs = 60_000;

export interface WarmUp {
  readonly seconds: number;
  /** Whether it ended because the target was steady. */
  readonly isSteady: boolean;
}

export type WarmUpOptions = Pick<MeasureOptions, "signal" | "hurry" | "onProgress" | "world">;

/** Opens the connections, applies the load until it is steady, and closes them. */
export async function warmUp(scenario: WebSocketScenario, options: WarmUpOptions = {}): Promise<WarmUp> {
  const { signal, hurry, onProgress, world } = options;
  const settled = new AbortController();
  const levels = new Levels();
  let seconds = 0;
  await measure(
    { ...scenario, probe: undefined, abortIf: undefined, warmupMs: 0, durationMs: longestWarmUpMs },
    {
      ...(world === undefined ? {} : { world }),
      ...(hurry === undefined ? {} : { hurry }),
      signal: signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal]),
      onProgress: (progress) => {
        if (progress.phase === "measure" && !settled.signal.aborted) {
          seconds = (progress.totalMs - progress.leftMs) / 1000;
          if (levels.take(progress)) {
            settled.abort();
          }
        }
        onProgress?.({ ...progress, phase: progress.phase === "measure" ? "warmup" : progress.phase });
      },
    },
  );
  return { seconds: Math.round(seconds), isSteady: settled.signal.aborted };
}

/** The figures of each second so far. */
class Levels {
  readonly #rates: number[] = [];
  readonly #medians: number[] = [];
  #second = 0;

  /** @returns whether they have settled */
  take({ totalMs, leftMs, messagesPerSecond, p50Us }: Progress): boolean {
    // Called several times a second, with the figures of the previous second.
    const second = Math.floor((totalMs - leftMs) / 1000);
    if (second === this.#second || messagesPerSecond === null || p50Us === null) {
      return false;
    }
    this.#second = second;
    this.#rates.push(messagesPerSecond);
    this.#medians.push(p50Us);
    return hasSettled([
      { figure: "messagesPerSecond", isBetterHigh: true, values: this.#rates },
      { figure: "p50Us", isBetterHigh: false, values: this.#medians },
    ]);
  }
}
