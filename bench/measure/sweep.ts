// Plans a sweep over a grid of loads, in a random order, and measures the missing cells.

import { createRandom, mixSeeds } from "../../src/lib/random.ts";
import type { Result } from "../result/schema.ts";
import type { Cell, PlanEntry, Sweep } from "../result/sweep.ts";
import { TargetError } from "../target/target.ts";

/** Consecutive failed measurements after which the target counts as gone. */
const failuresInRow = 3;

/**
 * Repeats every cell. Each round of all cells is shuffled separately: drift of the machine affects all cells
 * equally, and a sweep that ends early has whole rounds.
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
  /** Returns whether its Result exists. */
  readonly isDone: (entry: PlanEntry) => boolean;
  /** @throws TargetError if the target cannot be measured */
  readonly measure: (entry: PlanEntry) => Promise<Result>;
  /** Keeps a Result; called in order. */
  readonly keep: (entry: PlanEntry, result: Result) => void;
  readonly onMissing: (entry: PlanEntry, reason: string) => void;
  readonly signal: AbortSignal;
}

/** Measures the missing entries, one after the other. Failed ones remain for the next start. */
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
