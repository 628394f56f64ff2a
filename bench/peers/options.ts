// The options that the comparisons of npm scripts share: number of rounds, length of a measurement.

import type { Command } from "commander";
import { parseNumber } from "../../src/lib/units.ts";
import { commonShape, quantity, readFields, UsageError, whole } from "../commands/option-schemas.ts";
import type { JudgeOptions } from "../measure/compare.ts";
import type { Durations } from "./loads.ts";

/** Criteria of all these comparisons. */
export const judging: JudgeOptions = { margin: 0.02, primary: "serverCpuPerMessage" };

export interface Timing extends Durations {
  readonly rounds: number;
}

const shape = {
  rounds: quantity(parseNumber, whole(1, 1000)),
  duration: commonShape.duration,
  warmup: commonShape.warmup,
};

export function addTimingOptions(command: Command): Command {
  return command
    .option("--rounds <number>", "rounds; each measures every server twice", "5")
    .option("-d, --duration <time>", "measured window", "3s")
    .option("-w, --warmup <time>", "load before the measured window, not counted", "1s");
}

/** @throws UsageError with every problem */
export function readTiming(raw: Readonly<Record<string, unknown>>): Timing {
  const { values, problems } = readFields(shape, raw);
  const { rounds, duration, warmup } = values;
  if (rounds === undefined || duration === undefined || warmup === undefined) {
    throw new UsageError(problems);
  }
  return { rounds, durationMs: duration, warmupMs: warmup };
}
