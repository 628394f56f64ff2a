// The command `compare`: compares two targets under a load, or stored Results.

import { type Command, Option } from "commander";
import { z } from "zod";
import { lookFor } from "../../src/lib/terminal.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { type CompareOptions, compareArms, type JudgeOptions } from "../measure/compare.ts";
import { isUrl } from "../measure/once.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";
import { concludeComparison } from "../report/checks/comparison.ts";
import { formatComparison } from "../report/comparison/text.ts";
import { figureTitles } from "../report/comparison/words.ts";
import { type Comparison, type Finding, figureNames, findings, isAcceptable } from "../result/comparison.ts";
import { findResults } from "../result/log.ts";
import type { Result } from "../result/schema.ts";
import { formatComparisonFile, readText } from "../result/store.ts";
import { compareStored } from "../result/stored.ts";
import { requireHost } from "../target/target.ts";
import { addCiOptions, tellCi } from "./ci-output.ts";
import { withoutSecrets } from "./command-line.ts";
import { tellProgress } from "./compare-progress.ts";
import { exitCodes } from "./exit-codes.ts";
import { addLoadOptions, readLoad } from "./load-options.ts";
import { NothingError } from "./nothing.ts";
import {
  checkTogether,
  collect,
  duration,
  quantity,
  readFields,
  share,
  UsageError,
  whole,
} from "./option-schemas.ts";
import { act, interruptOnSignal, keep, type OutputOptions, outputProblems } from "./outcome.ts";
import { pathProblems, startableProblems } from "./startable.ts";

const narrow = share(0.001, 0.5);

/** Options of both kinds of comparison. */
const judgeShape = {
  margin: narrow,
  failOn: z.array(z.enum(findings, { error: `must be one of ${findings.join(", ")}` })),
};

const shape = {
  ...judgeShape,
  rounds: quantity(parseNumber, whole(1, 1000)),
  until: narrow.optional(),
  maxRounds: quantity(parseNumber, whole(1, 1000)).optional(),
  deadline: duration(1000, 7 * 86_400_000).optional(),
};

const defaultMaxRounds = 50;

/** Options that apply to stored Results, in camelCase. */
const storedOptions = new Set([
  "margin",
  "primary",
  "failOn",
  "nameA",
  "nameB",
  "json",
  "out",
  "junit",
  "summary",
  "against",
]);

interface Raw extends OutputOptions, Readonly<Record<string, unknown>> {
  readonly against: readonly string[];
  readonly failOn: readonly Finding[];
  readonly nameA: string;
  readonly nameB: string;
}

const examples = `
Examples:
  uws-echo-bench compare 'node old.js {port}' 'node new.js {port}' --until 2%
  uws-echo-bench compare --against old-1.json --against old-2.json new-*.json`;

/** Adds `compare A B` to the program. */
export function addCompareCommand(program: Command): void {
  const command = program
    .command("compare")
    .description(
      "compare two targets in turns, or stored Results, and report the ratio of their figures with its interval",
    )
    .usage(`[options] <A> <B>\n       uws-echo-bench compare [options] --against <file> <file...>`)
    .argument(
      "<targets...>",
      "A, the baseline, and B: ws:// URLs, or commands that start a target, with {port} for its port; with --against, files of B",
    )
    .option("--rounds <number>", "rounds of A, B, B, A; with --until, the minimum", "5")
    .option("--until <share>", "more rounds until the primary interval is this narrow, as in 2%")
    .option("--max-rounds <number>", `with --until, at most this many (default: ${defaultMaxRounds})`)
    .option("--deadline <time>", "start no round that would likely end after this time")
    .addOption(
      new Option(
        "--primary <figure>",
        `figure that decides: ${figureNames.join(", ")} (default: CPU if known, else the rate, or p99 with --rate)`,
      ).choices(figureNames),
    )
    .option("--margin <share>", "treat a difference up to this share as none", "2%")
    .option(
      "--fail-on <finding>",
      `exit with 1 on this finding: ${findings.join(", ")} (repeatable)`,
      collect,
      [],
    )
    .option(
      "--against <file>",
      "Result file or log of A, to compare stored Results (repeatable)",
      collect,
      [],
    )
    .option("--name-a <text>", "name of A", "A")
    .option("--name-b <text>", "name of B", "B")
    .option("--path <path>", "path of the endpoint of started targets", "/echo")
    .option("--json", "print only the Comparison, as JSON, to standard output")
    .option("-o, --out <file>", "write the Comparison to this new file")
    .addHelpText("after", examples);
  addCiOptions(command);
  addLoadOptions(command, { duration: "3s", warmup: "1s" }); // shorter than those of a single run, because there are many
  command.action((targets: string[], raw: Raw) =>
    raw.against.length > 0
      ? act(command, () => runStored(targets, raw, command), exitCodes.usage)
      : act(command, () => run(readOptions(targets, raw), raw)),
  );
}

/** Checks all options. @throws UsageError with every problem */
function readOptions(targets: readonly string[], raw: Raw): CompareOptions {
  const { values, problems } = readFields(shape, raw);
  const [a = "", b = ""] = targets;
  if (targets.length !== 2) {
    problems.push(`a comparison takes two targets, not ${targets.length} (quote commands), or --against`);
  }
  problems.push(...outputProblems(raw), ...targets.flatMap(startableProblems), ...roundsProblems(values));
  const path = String(raw["path"]);
  problems.push(...pathProblems(path));
  // Commands get their URL when they start; until then this URL has the common parts.
  const url = targets.find(isUrl) ?? `ws://127.0.0.1${path}`;
  const scenario = checkTogether(problems, () => readLoad(url, raw));
  const { rounds = 1, until, deadline } = values;
  return {
    arms: [
      { name: raw.nameA, target: a },
      { name: raw.nameB, target: b },
    ],
    scenario: withPath(scenario, path),
    rounds,
    until,
    maxRounds: until === undefined ? rounds : Math.max(rounds, values.maxRounds ?? defaultMaxRounds),
    deadlineMs: deadline,
    ...judgeOptionsOf(values.margin, raw),
  };
}

function roundsProblems({
  rounds,
  until,
  maxRounds,
}: {
  readonly rounds?: number;
  readonly until?: number | undefined;
  readonly maxRounds?: number | undefined;
}): string[] {
  return [
    maxRounds !== undefined &&
      until === undefined &&
      "--max-rounds belongs to --until: without it, use --rounds",
    until !== undefined &&
      rounds !== undefined &&
      rounds < 3 &&
      "--until: an interval takes --rounds 3 at least",
    rounds !== undefined &&
      maxRounds !== undefined &&
      maxRounds < rounds &&
      "--max-rounds: less than --rounds",
  ].filter((problem) => problem !== false);
}

function judgeOptionsOf(margin: number | undefined, raw: Raw): JudgeOptions {
  return { margin: margin ?? 0, primary: figureNames.find((name) => name === raw["primary"]) };
}

function withPath(scenario: WebSocketScenario, path: string): WebSocketScenario {
  const url = new URL(scenario.endpoint.url);
  url.pathname = path;
  return { ...scenario, endpoint: { ...scenario.endpoint, url: url.href } };
}

async function run(options: CompareOptions, raw: Raw): Promise<number> {
  const interruption = interruptOnSignal();
  const progress = tellProgress(options);
  try {
    for (const { target } of options.arms.filter((arm) => isUrl(arm.target))) {
      await requireHost(target);
    }
    const comparison = await compareArms({ ...options, ...progress, signal: interruption.signal });
    if (comparison === undefined) {
      throw new NothingError("interrupted during the first round", "compared");
    }
    return tell(comparison, raw);
  } finally {
    progress.end();
    interruption.end();
  }
}

/** Compares stored Results. @throws UsageError, StoreError or MismatchError with every problem */
function runStored(files: readonly string[], raw: Raw, command: Command): number {
  const useless = command.options
    .map((option) => option.attributeName())
    .filter((name) => command.getOptionValueSource(name) === "cli" && !storedOptions.has(name))
    .map(
      (name) =>
        `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: nothing is measured with --against`,
    );
  const { values, problems } = readFields(judgeShape, raw);
  problems.push(...outputProblems(raw), ...useless);
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const comparison = compareStored({
    baseline: { name: raw.nameA, results: resultsOf(raw.against) },
    value: { name: raw.nameB, results: resultsOf(files) },
    ...judgeOptionsOf(values.margin, raw),
  });
  return tell(comparison, raw);
}

/** The Results of all files. @throws UsageError with every problem */
function resultsOf(files: readonly string[]): readonly Result[] {
  const { results, problems } = findResults(files.map((name) => ({ name, text: readText(name) })));
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  return results;
}

/** Prints and writes the Comparison. @returns the exit code */
function tell(compared: Comparison, output: Raw): number {
  const { json, out, failOn } = output;
  const comparison = { ...compared, command: withoutSecrets(process.argv.slice(2)) };
  const content = formatComparisonFile(comparison);
  process.stdout.write(json === true ? content : formatComparison(comparison, lookFor(process.stdout)));
  const isWritten = out === undefined || keep(out, content, content, json);
  const isKept = tellCi(output, () => concludeComparison(comparison, failOn)) && isWritten;
  const { figures, primary } = comparison;
  const { finding } = figures[primary];
  const isFailed = failOn.includes(finding);
  if (isFailed) {
    process.stderr.write(`error: ${figureTitles[primary]} is ${finding} (--fail-on ${finding})\n`);
  }
  return isFailed || !isKept || !isAcceptable(comparison) ? exitCodes.notAcceptable : exitCodes.good;
}
