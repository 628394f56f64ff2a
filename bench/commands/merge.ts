// Owns the command `merge`: the Results of several generators of one run become one Result file.
// Must not know how to measure.

import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { formatText } from "../report/text.ts";
import { failuresOf, judge } from "../report/warnings.ts";
import { MergeError, mergeResults } from "../result/merge.ts";
import { formatResult, readResult, StoreError, writeResult } from "../result/store.ts";
import { evaluateThresholds, parseThreshold } from "../threshold.ts";

interface MergeOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** Adds `merge FILE...` to the program. */
export function addMergeCommand(program: Command): void {
  program
    .command("merge")
    .description("make one Result of those of several generators of one run: counts and histograms add")
    .argument("<file...>", "Result files, two or more")
    .option("-o, --out <file>", "write the merged Result to this new file")
    .option("--json", "print the merged Result to the standard output, and nothing else")
    .action((files: string[], options: MergeOptions, command: Command) => {
      try {
        merge(files, options);
      } catch (error) {
        if (!(error instanceof StoreError || error instanceof MergeError)) throw error;
        command.error(`error: ${error.message}`, { exitCode: EXIT.usage });
      }
    });
}

function merge(files: readonly string[], { out, json }: MergeOptions): void {
  const results = files.map(readResult);
  const merged = mergeResults(results);
  // What each generator was held against, the whole is.
  const expressions = new Set(
    results.flatMap(({ thresholds }) => thresholds.map(({ expression }) => expression)),
  );
  const thresholds = evaluateThresholds([...expressions].map(parseThreshold), merged);
  const result = judge({ ...merged, thresholds });
  if (out !== undefined) writeResult(out, result);
  process.stdout.write(json === true ? formatResult(result) : formatText(result));
  if (failuresOf(result).length > 0) process.exitCode = EXIT.notAcceptable;
}
