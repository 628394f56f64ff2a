// Plans a sweep over a grid of loads, in a random order, and measures what is missing of it.

import { createRandom, mixSeeds } from "../../src/lib/random.ts";
import type { Result } from "../result/schema.ts";
import type { Cell, PlanEntry, Sweep } from "../result/sweep.ts";
import { TargetError } from "../target/target.ts";

/** Measurements in a row that failed, after which the target is taken to be gone. */
const failuresInRow = 3;

/**
 * Every cell so many times. Each round of all cells is shuffled on its own: a drift of the machine meets all cells
 * alike, and a sweep that ends early has whole rounds.
 */
export function planEntries(cells: readonly Cell[], repeats: number, seed: number): PlanEntry[] {
  return Array.from({ length: repeats }, (_, index) => index + 1).flatMap((repeat) => {
    const entries = cells.map((cell) => ({ ...cell, repeat, file: fileOf(cell, repeat) }));
    return shuffle(entries, createRandom(mixSeeds(seed, repeat)));
  });
}

/** `c64-s1024-d16-1.json` for 64 connections, 1024 B, 16 in flight, the first time; `r5000` for a rate. */
function fileOf({ connections, payloadBytes, depth, ratePerSecond }: Cell, repeat: number): string {
  const pace = ratePerSecond === null ? `d${depth ?? 1}` : `r${ratePerSecond}`;
  return `c${connections}-s${payloadBytes}-${pace}-${repeat}.json`;
}

function shuffle<T>(values: readonly T[], random: () => number): T[] {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

export interface SweepOptions {
  readonly entries: readonly PlanEntry[];
  /** Whether its Result is there already. */
  readonly isDone: (entry: PlanEntry) => boolean;
  /** @throws TargetError when there is nothing to measure */
  readonly measure: (entry: PlanEntry) => Promise<Result>;
  /** Keeps a Result; called in order. */
  readonly keep: (entry: PlanEntry, result: Result) => void;
  readonly onMissing: (entry: PlanEntry, reason: string) => void;
  readonly signal: AbortSignal;
}

/** Measures what is not there yet, one after the other. What fails is left for the next start. */
export async function sweep(options: SweepOptions): Promise<Pick<Sweep, "stop" | "missing">> {
  const { entries, isDone, measure, keep, onMissing, signal } = options;
  const missing: Sweep["missing"] = [];
  let failedInRow = 0;
  for (const entry of entries.filter((each) => !isDone(each))) {
    const outcome = await tryOnce(() => measure(entry));
    if (signal.aborted) {
      return { stop: "interrupted", missing };
    }
    if (outcome instanceof TargetError) {
      missing.push({ file: entry.file, reason: outcome.message });
      onMissing(entry, outcome.message);
      failedInRow += 1;
      if (failedInRow === failuresInRow) {
        return { stop: "target-gone", missing };
      }
    } else {
      keep(entry, outcome);
      failedInRow = 0;
    }
  }
  return { stop: "complete", missing };
}

async function tryOnce(measure: () => Promise<Result>): Promise<Result | TargetError> {
  try {
    return await measure();
  } catch (error) {
    if (error instanceof TargetError) {
      return error;
    }
    throw error;
  }
}
