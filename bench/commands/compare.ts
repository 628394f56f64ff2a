// The command `compare`: measures two targets in turns and reports a Comparison.

import type { Command } from "commander";
import { parseNumber } from "../../src/lib/units.ts";
import { compareArms, formatComparisonFile } from "../measure/compare.ts";
import type { Progress } from "../measure/measure.ts";
import { type Arm, isUrl } from "../measure/rounds.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";
import { formatComparison, formatFigure } from "../report/compare.ts";
import { isAcceptable, type Sample } from "../result/comparison.ts";
import { writeOnce } from "../result/store.ts";
import { exitCodes } from "./exit-codes.ts";
import { addLoadOptions, readLoadOptions } from "./load-options.ts";
import { quantity, readFields, UsageError, whole } from "./option-schemas.ts";
import { act, interruptOnSignal, type OutputOptions, outputProblems } from "./outcome.ts";
import { createProgressLine } from "./progress.ts";

const shape = { rounds: quantity(parseNumber, whole(1, 1000)) };

/** Adds `compare A B` to the program. */
export function addCompareCommand(program: Command): void {
  const command = program
    .command("compare")
    .description(
      "compare two targets in turns, each also with itself, and report the differences that exceed the noise",
    )
    .argument(
      "<A>",
      "baseline: a ws:// URL, or a command that starts a target, with {port} in place of the port",
    )
    .argument("<B>", "the target to compare with A: a URL or a command, as for A");
  addLoadOptions(command, { duration: "3s", warmup: "1s" }) // Shorter than a single run's, since there are many.
    .option(
      "--rounds <number>",
      "number of number of number of number of rounds; each measures A, B, B, A",
      "5",
    )
    .option("--path <path>", "path of the endpoint, for targets started from a command", "/echo")
    .option("--name-a <text>", "name of A", "A")
    .option("--name-b <text>", "name of B", "B")
    .option("--json", "print only the Comparison, as JSON, to standard output")
    .option("-o, --out <file>", "write the Comparison to this new file");
  command.action((a: string, b: string, raw: Record<string, unknown>) =>
    act(command, () => run(readOptions(a, b, raw), raw)),
  );
}

interface CompareOptions {
  readonly arms: readonly Arm[];
  readonly scenario: WebSocketScenario;
  readonly rounds: number;
}

/** Checks all options. @throws UsageError with every problem */
function readOptions(a: string, b: string, raw: Readonly<Record<string, unknown>>): CompareOptions {
  const { values, problems } = readFields(shape, raw);
  problems.push(...outputProblems(raw), ...uselessOptions(raw));
  for (const target of [a, b]) {
    if (!isUrl(target) && !target.includes("{port}")) {
      problems.push(`"${target}" is neither a ws:// URL nor a command with {port}`);
    }
  }
  const path = String(raw["path"]);
  if (!path.startsWith("/")) {
    problems.push("--path: must begin with /");
  }
  // Commands get their URL when they are started; until then this one stands for all that is the same.
  const url = [a, b].find(isUrl) ?? `ws://127.0.0.1${path}`;
  try {
    const { scenario } = readLoadOptions(url, { ...raw, pid: undefined, metricsUrl: undefined });
    if (problems.length === 0) {
      const arms = [
        { name: String(raw["nameA"]), target: a },
        { name: String(raw["nameB"]), target: b },
      ];
      return { arms, scenario: withPath(scenario, path), rounds: values.rounds ?? 1 };
    }
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    problems.push(...error.problems);
  }
  throw new UsageError(problems);
}

function uselessOptions(raw: Readonly<Record<string, unknown>>): string[] {
  const { pid, metricsUrl, threshold, label } = raw;
  return [
    (pid ?? metricsUrl) !== undefined &&
      "--pid and --metrics-url describe one target: compare reads the CPU time of the targets that it starts",
    Array.isArray(threshold) && threshold.length > 0 && "--threshold is an option of run, not of compare",
    label !== undefined && "--label is an option of run: use --name-a and --name-b",
  ].filter((problem) => problem !== false);
}

function withPath(scenario: WebSocketScenario, path: string): WebSocketScenario {
  const url = new URL(scenario.endpoint.url);
  url.pathname = path;
  return { ...scenario, endpoint: { ...scenario.endpoint, url: url.href } };
}

async function run(options: CompareOptions, { json, out }: OutputOptions): Promise<number> {
  const interruption = interruptOnSignal();
  try {
    const comparison = await compareArms({
      ...options,
      signal: interruption.signal,
      ...tellProgress(options),
    });
    if (comparison === undefined) {
      process.stderr.write("error: nothing was compared: interrupted during the first round\n");
      return exitCodes.nothing;
    }
    const content = formatComparisonFile(comparison);
    process.stdout.write(json === true ? content : formatComparison(comparison));
    if (out !== undefined) {
      writeOnce(out, content);
    }
    const isComplete = comparison.rounds === options.rounds;
    return isComplete && isAcceptable(comparison) ? exitCodes.good : exitCodes.notAcceptable;
  } finally {
    interruption.end();
  }
}

/** A live line while a measurement runs, and one that stays for each that is done. */
export function tellProgress({ arms, rounds }: Pick<CompareOptions, "arms" | "rounds">) {
  let live = createProgressLine(process.stderr);
  return {
    onProgress: (progress: Progress) => live.show(progress),
    onSample: (sample: Sample) => {
      live.end();
      live = createProgressLine(process.stderr);
      process.stderr.write(`round ${sample.round}/${rounds}  ${describeSample(sample, arms)}\n`);
    },
  };
}

function describeSample({ arm, figures, failures }: Sample, arms: readonly Arm[]): string {
  const { messagesPerSecond, serverCpuUsPerMessage: cpuUs, p99Us } = figures;
  return [
    `${arms[arm]?.name ?? ""}: ${formatFigure("messagesPerSecond", messagesPerSecond ?? 0)} messages/s`,
    cpuUs == null ? "" : `server ${formatFigure("serverCpuUsPerMessage", cpuUs)}/message`,
    p99Us == null ? "" : `p99 ${formatFigure("p99Us", p99Us)}`,
    ...failures,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
