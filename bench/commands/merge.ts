// The command `merge`: merges the Results or SessionReports of several generators of one run.

import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { lookFor } from "../../src/lib/terminal.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { judgeSession, sessionMetrics } from "../measure/session-report.ts";
import { concludeDocument } from "../report/checks/document.ts";
import { concludeResult } from "../report/checks/result.ts";
import { formatText } from "../report/run/text.ts";
import { formatSessionReport } from "../report/session/session.ts";
import { sumOf } from "../result/aggregate.ts";
import { type Found, findDocuments, findResults, startsWithKind } from "../result/log.ts";
import { MergeError, mergeResults } from "../result/merge.ts";
import { mergeSessions } from "../result/merge-session.ts";
import { hashOf } from "../result/parts.ts";
import type { Result } from "../result/schema.ts";
import { type SessionReport, sessionKind, sessionVersions } from "../result/session.ts";
import { formatResultLine, readText, StoreError, writeOnce, writeResult } from "../result/store.ts";
import { evaluateThresholds, parseThreshold, parseThresholdOf } from "../result/threshold.ts";
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
    .description(
      "merge the Results of several generators of one run, or of one scenario, with exact counts and histograms",
    )
    .argument(
      "<file...>",
      "Result files, or logs with a Result per line (run --json); - reads standard input",
    )
    .option("--expect <number>", "fail unless the Results come from this many generators")
    .option("-o, --out <file>", "write the merged Result to this new file")
    .option("--json", "print only the merged Result, as one line of JSON, to standard output");
  addCiOptions(command).action((files: string[], options: MergeOptions) =>
    act(command, () => mergeFiles(files, options), exitCodes.usage),
  );
}

interface Read {
  readonly texts: readonly { readonly name: string; readonly text: string }[];
  readonly expected: number | undefined;
  readonly problems: readonly string[];
}

/** The texts of all files, with the problems of files and options. */
async function readAllFiles(files: readonly string[], options: MergeOptions): Promise<Read> {
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
  return { texts, expected: values.expect, problems };
}

async function mergeFiles(files: readonly string[], options: MergeOptions): Promise<number> {
  const read = await readAllFiles(files, options);
  if (startsWithKind(read.texts, sessionKind)) {
    const found = findDocuments(read.texts, sessionVersions, hashOf);
    refuseProblems(
      read,
      found,
      sumOf(found.results, ({ parts }) => Math.max(1, parts.length)),
    );
    return mergeReports(found.results, options);
  }
  const found = findResults(read.texts);
  refuseProblems(
    read,
    found,
    sumOf(found.results, ({ scenario }) => scenario.generators),
  );
  return merge(found.results, options);
}

/** @throws MergeError with every problem: no document is left out silently */
function refuseProblems(read: Read, found: Found<unknown>, generators: number): void {
  const { expected } = read;
  const problems = [...read.problems, ...found.problems];
  if (expected !== undefined && generators !== expected) {
    problems.push(`${expected} generators were expected, but the Results come from ${generators}`);
  }
  if (problems.length > 0) {
    const good = found.results.length;
    const rest =
      good === 0 ? [] : [`nothing was merged; ${good} ${good === 1 ? "Result is" : "Results are"} good`];
    throw new MergeError([...problems, ...rest]);
  }
}

/** The thresholds of the generators, which apply to what is merged. */
function expressionsOf(documents: readonly { readonly thresholds: Result["thresholds"] }[]): string[] {
  return [...new Set(documents.flatMap(({ thresholds }) => thresholds.map(({ expression }) => expression)))];
}

function mergeReports(reports: readonly SessionReport[], options: MergeOptions): number {
  const thresholds = expressionsOf(reports).map((text) => parseThresholdOf(sessionMetrics, text));
  const judged = judgeSession(mergeSessions(reports), thresholds);
  const warnings = new Set([...judged.warnings, ...reports.flatMap((report) => report.warnings)]);
  const report = { ...judged, warnings: [...warnings] };
  if (options.out !== undefined) {
    writeOnce(options.out, `${JSON.stringify(report, null, 2)}\n`);
  }
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(report)}\n`
      : formatSessionReport(report, lookFor(process.stdout)),
  );
  const isTold = tellCi(options, () => concludeDocument("merge", report));
  return report.failures.length > 0 || !isTold ? exitCodes.notAcceptable : exitCodes.good;
}

function merge(results: readonly Result[], options: MergeOptions): number {
  const { out, json } = options;
  const merged = mergeResults(results);
  const thresholds = evaluateThresholds(expressionsOf(results).map(parseThreshold), merged);
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
