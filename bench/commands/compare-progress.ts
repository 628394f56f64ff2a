// Shows the progress of a comparison: a live line while a measurement runs, and a permanent line for each completed one.

import type { Progress } from "../measure/measure.ts";
import type { Arm, FailedRound } from "../measure/rounds.ts";
import { formatFigure } from "../report/comparison/words.ts";
import type { Sample } from "../result/comparison.ts";
import { createProgressLine } from "./progress.ts";

export interface CompareProgress {
  readonly onProgress: (progress: Progress) => void;
  readonly onSample: (sample: Sample) => void;
  readonly onFailedRound: (failed: FailedRound) => void;
  /** Removes the live line. */
  readonly end: () => void;
}

/** Writes to the standard error output. */
export function tellProgress({
  arms,
  rounds,
}: {
  readonly arms: readonly Arm[];
  readonly rounds: number;
}): CompareProgress {
  let live = createProgressLine(process.stderr);
  const say = (line: string): void => {
    live.end();
    live = createProgressLine(process.stderr);
    process.stderr.write(`${line}\n`);
  };
  return {
    onProgress: (progress) => live.show(progress),
    onSample: (sample) =>
      say(`round ${sample.round}/${Math.max(rounds, sample.round)}  ${describeSample(sample, arms)}`),
    onFailedRound: ({ round, reason }) => say(`round ${round} does not count: ${reason}`),
    end: () => live.end(),
  };
}

function describeSample({ arm, figures, failures }: Sample, arms: readonly Arm[]): string {
  const { messagesPerSecond, serverCpuPerMessage, p99 } = figures;
  return [
    `${arms[arm]?.name ?? ""}: ${formatFigure("messagesPerSecond", messagesPerSecond ?? 0)} messages/s`,
    serverCpuPerMessage == null
      ? "server CPU unknown"
      : `server ${formatFigure("serverCpuPerMessage", serverCpuPerMessage)}/message`,
    p99 == null ? "" : `p99 ${formatFigure("p99", p99)}`,
    ...failures,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
