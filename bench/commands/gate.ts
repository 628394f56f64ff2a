// The command `gate`: detects changes of level in a history of stored Results, and fails on a regression.

import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { lookFor } from "../../src/lib/terminal.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { concludeHistory } from "../report/checks/history.ts";
import { formatHistory } from "../report/history/text.ts";
import { figureNames } from "../result/comparison.ts";
import { judgeHistory } from "../result/history.ts";
import { findResults } from "../result/log.ts";
import { type Result, resultKind } from "../result/schema.ts";
import { readText } from "../result/store.ts";
import { addCiOptions, type CiOutput, ciProblems, tellCi } from "./ci-output.ts";
import { exitCodes } from "./exit-codes.ts";
import { collect, quantity, readFields, share, UsageError, whole } from "./option-schemas.ts";
import { act } from "./outcome.ts";

const shape = {
  figure: z.array(z.enum(figureNames, { error: `must be one of ${figureNames.join(", ")}` })),
  margin: share(0.001, 0.5),
  recent: quantity(parseNumber, whole(1, 1000)),
};

interface Raw extends CiOutput, Readonly<Record<string, unknown>> {
  readonly history: readonly string[];
  readonly json?: boolean;
}

/** Adds `gate` to the program. */
export function addGateCommand(program: Command): void {
  const command = program
    .command("gate")
    .description(
      "detect changes of level in a history of stored Results, and exit with 1 on a recent regression",
    )
    .requiredOption(
      "--history <file...>",
      "Result files or logs, folders of .json files, or patterns with * in the file's name",
    )
    .option(
      "--figure <name>",
      `figure to judge (repeatable; ${figureNames.join(", ")}; default: as compare chooses)`,
      collect,
      [],
    )
    .option("--margin <share>", "treat a change up to this share as none", "2%")
    .option("--recent <number>", "fail on a change among this many newest Results of a target and load", "10")
    .option("--json", "print only the History, as JSON, to standard output");
  addCiOptions(command).action((raw: Raw) => act(command, () => gate(raw), exitCodes.usage));
}

/** @throws UsageError or StoreError with every problem */
function gate(raw: Raw): number {
  const { values, problems } = readFields(shape, raw);
  const { figure, margin, recent } = values;
  problems.push(...ciProblems(raw));
  if (problems.length > 0 || figure === undefined || margin === undefined || recent === undefined) {
    throw new UsageError(problems);
  }
  const history = judgeHistory(resultsOf(raw.history), { figures: figure, margin, recent });
  process.stdout.write(
    raw.json === true
      ? `${JSON.stringify(history, null, 2)}\n`
      : formatHistory(history, lookFor(process.stdout)),
  );
  const conclusion = concludeHistory(history);
  const isTold = tellCi(raw, () => conclusion);
  const isGood = conclusion.checks.every(({ problem }) => problem === null);
  return isGood && isTold ? exitCodes.good : exitCodes.notAcceptable;
}

/** The Results of all files. @throws UsageError with every problem */
function resultsOf(patterns: readonly string[]): readonly Result[] {
  const files = [...new Set(patterns.flatMap(filesOf))];
  const texts = files.map((name) => {
    const text = readText(name);
    return { name, text, otherKind: otherKindOf(text) };
  });
  const others = texts.flatMap(({ otherKind }) => otherKind ?? []);
  const { results, problems } = findResults(texts.filter(({ otherKind }) => otherKind === undefined));
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const kinds = [...new Set(others)].sort().join(", ");
  if (results.length === 0) {
    throw new UsageError([
      `--history: none of ${files.length} files holds a Result${kinds === "" ? "" : ` (they hold: ${kinds})`}`,
    ]);
  }
  if (others.length > 0) {
    process.stderr.write(`not a part of the history: ${others.length} of ${files.length} files (${kinds})\n`);
  }
  return results;
}

/** The kind of a document that is not a Result; Comparisons and reports lie beside Results in many folders. */
function otherKindOf(text: string): string | undefined {
  try {
    const { kind } = JSON.parse(text) as { readonly kind?: unknown };
    return typeof kind === "string" && kind !== resultKind ? kind.replace("uws-echo-bench/", "") : undefined;
  } catch {
    return undefined; // a log, or damaged: reading it reports that
  }
}

/** @throws UsageError when there is none */
function filesOf(pattern: string): string[] {
  const isFolder = existsSync(pattern) && statSync(pattern).isDirectory();
  if (!isFolder && (existsSync(pattern) || !basename(pattern).includes("*"))) {
    return [pattern];
  }
  const folder = isFolder ? pattern : dirname(pattern);
  const wanted = isFolder
    ? /\.json$/
    : new RegExp(`^${basename(pattern).split("*").map(escapeRegExp).join(".*")}$`);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => wanted.test(name)) : [];
  if (names.length === 0) {
    throw new UsageError([`--history: ${pattern} matches no file`]);
  }
  return names.sort().map((name) => join(folder, name));
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
