// The command `merge`: merges the Results of several generators of one run.

import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { lookFor } from "../../src/lib/terminal.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { concludeResult } from "../report/checks/result.ts";
import { formatText } from "../report/run/text.ts";
import { findResults } from "../result/log.ts";
import { MergeError, mergeResults } from "../result/merge.ts";
import type { Result } from "../result/schema.ts";
import { formatResultLine, readText, StoreError, writeResult } from "../result/store.ts";
import { evaluateThresholds, parseThreshold } from "../result/threshold.ts";
import { judge } from "../result/verdict.ts";
import { addCiOptions, type CiOutput, ciProblems, tellCi } from "./ci-output.ts";
import { exitCodes } from "./exit-codes.ts";
import { quantity, readFields, whole } from "./option-schemas.ts";
import { act } from "./outcome.ts";

interface MergeOptions extends CiOutput {
  readonly out?: string;
  readonly json?: boolean;
  readonly expect?: string;
}

/** Adds `merge FILE...` to the program. */
export function addMergeCommand(program: Command): void {
  const command = program
    .command("merge")
    .description("merge the Results of several generators of one run, with exact counts and histograms")
    .argument(
      "<file...>",
      "Result files, or logs with a Result per line (run --json); - reads standard input",
    )
    .option("--expect <number>", "fail unless the Results come from this many generators")
    .option("-o, --out <file>", "write the merged Result to this new file")
    .option("--json", "print only the merged Result, as one line of JSON, to standard output");
  addCiOptions(command).action((files: string[], options: MergeOptions) =>
    act(command, async () => merge(await resultsOf(files, options), options), exitCodes.usage),
  );
}

/** The Results of all files. @throws MergeError with every problem: none is left out silently */
async function resultsOf(files: readonly string[], options: MergeOptions): Promise<readonly Result[]> {
  const { values, problems } = readFields(
    { expect: quantity(parseNumber, whole(1, 1_000_000)).optional() },
    { expect: options.expect },
  );
  problems.push(...ciProblems(options));
  const texts: { name: string; text: string }[] = [];
  for (const file of files) {
    try {
      if (file === "-") {
        texts.push({ name: "the standard input", text: await readAll(process.stdin) });
      } else {
        texts.push({ name: file, text: readText(file) });
      }
    } catch (error) {
      if (!(error instanceof StoreError)) {
        throw error;
      }
      problems.push(error.message);
    }
  }
  const found = findResults(texts);
  problems.push(...found.problems);
  const generators = found.results.reduce((sum, { scenario }) => sum + scenario.generators, 0);
  if (values.expect !== undefined && generators !== values.expect) {
    problems.push(`${values.expect} generators were expected, but the Results come from ${generators}`);
  }
  if (problems.length > 0) {
    const good = found.results.length;
    const rest =
      good === 0 ? [] : [`nothing was merged; ${good} ${good === 1 ? "Result is" : "Results are"} good`];
    throw new MergeError([...problems, ...rest]);
  }
  return found.results;
}

function merge(results: readonly Result[], options: MergeOptions): number {
  const { out, json } = options;
  const merged = mergeResults(results);
  // The thresholds of the generators apply to the merged Result.
  const expressions = new Set(
    results.flatMap(({ thresholds }) => thresholds.map(({ expression }) => expression)),
  );
  const thresholds = evaluateThresholds([...expressions].map(parseThreshold), merged);
  const result = judge({ ...merged, thresholds });
  if (out !== undefined) {
    writeResult(out, result);
  }
  process.stdout.write(
    json === true ? formatResultLine(result) : formatText(result, lookFor(process.stdout)),
  );
  const isTold = tellCi(options, () => concludeResult("merge", result));
  return result.failures.length > 0 || !isTold ? exitCodes.notAcceptable : exitCodes.good;
}
