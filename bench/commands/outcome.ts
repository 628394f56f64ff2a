// Shared by measuring commands: output options, Ctrl-C, result files, printed reports, exit codes.

import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { formatNumber } from "../../src/lib/format.ts";
import { lookFor } from "../../src/lib/terminal.ts";
import type { ErrorTally } from "../load/plan.ts";
import { measure, type Outcome, type Progress } from "../measure/measure.ts";
import { outlineOf, type Scenario, type WebSocketScenario } from "../measure/scenario.ts";
import { warmUp } from "../measure/warm-up.ts";
import { concludeNothing } from "../report/checks/conclusion.ts";
import { concludeResult } from "../report/checks/result.ts";
import { formatText } from "../report/run/text.ts";
import type { Result } from "../result/schema.ts";
import {
  formatResult,
  formatResultLine,
  problemOfResult,
  problemOfWriting,
  StoreError,
  writeOnce,
} from "../result/store.ts";
import type { Threshold } from "../result/threshold.ts";
import { measureClockOffset } from "../target/clock-offset.ts";
import { chooseSampler } from "../target/sampler.ts";
import { defaultMetricsUrl, requireHost } from "../target/target.ts";
import { addCiOptions, type CiOutput, ciProblems, tellCi } from "./ci-output.ts";
import { withoutSecrets } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ServerSource } from "./load-options.ts";
import { NothingError } from "./nothing.ts";
import { serveOwnMetrics } from "./own-metrics.ts";
import { createProgressLine } from "./progress.ts";

/** The folder of Results without --out. */
const defaultFolder = "uws-echo-bench-results";

export interface OutputOptions extends CiOutput {
  readonly json?: boolean;
  readonly out?: string;
}

/** @param kind what is written */
export function addOutputOptions(command: Command, kind = "Result"): Command {
  return addCiOptions(
    command
      .option("--json", `print only the ${kind}, as one line of JSON, to standard output`)
      .option("-o, --out <file>", `write the ${kind} to this new file (default: one in ${defaultFolder}/)`),
  );
}

/** Why a requested file cannot be written, found by trying before anything is measured. */
export function outputProblems(output: OutputOptions): string[] {
  const problem = output.out === undefined ? undefined : problemOfWriting(output.out);
  return [...(problem === undefined ? [] : [`--out: ${problem}`]), ...ciProblems(output)];
}

/**
 * Runs a command's action, sets its exit code, and turns expected errors into sentences.
 * @param failure the exit code of errors other than wrong usage
 */
export async function act(
  command: Command,
  action: () => number | Promise<number>,
  failure: number = exitCodes.nothing,
): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof UwsEchoError && error.code === "ERR_USAGE")) {
      tellFailure(command, error);
    }
    if (!(error instanceof UwsEchoError)) {
      throw error;
    }
    const sentences = error.problems.map((problem) => `error: ${problem}`).join("\n");
    if (error.code === "ERR_USAGE") {
      command.error(sentences, { exitCode: exitCodes.usage });
    }
    command.showHelpAfterError(false).error(sentences, { exitCode: failure });
  }
}

/** Tells CI why there is no result: a missing or an older file would not. */
function tellFailure(command: Command, error: unknown): void {
  const title = withoutSecrets(command.args).join(" ");
  tellCi(command.opts<CiOutput>(), () => concludeNothing(command.name(), title, reasonOf(error)));
}

function reasonOf(error: unknown): string {
  if (error instanceof NothingError) {
    return error.reason;
  }
  if (error instanceof UwsEchoError) {
    return error.problems.join("; ");
  }
  return `uws-echo-bench failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** Signals that end a measurement early: Ctrl-C, termination, a closed terminal. */
const interruptions = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The first signal ends the measurement early. With `hurry`, the second ends the wait for the last replies. The next one
 * ends the process at once; handlers of `exit`, which an unhandled signal would skip, end child processes and restore
 * the terminal.
 */
export function interruptOnSignal(hurry?: AbortController): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort();
    } else if (hurry?.signal.aborted === false) {
      hurry.abort();
    } else {
      process.exit(128 + constants.signals[name]);
    }
  };
  for (const name of interruptions) {
    process.on(name, interrupt);
  }
  const end = (): void => {
    for (const name of interruptions) {
      process.off(name, interrupt);
    }
  };
  return { signal: controller.signal, end };
}

/** One measurement, by the command line. */
export interface RunOptions extends ServerSource {
  readonly scenario: Scenario;
  readonly thresholds: readonly Threshold[];
  /** Load the target beforehand, until it is steady. */
  readonly isWarmedUp?: boolean;
}

/** Measures once with a progress line; prints and writes the Result. @returns the exit code */
export async function run(options: RunOptions, output: OutputOptions): Promise<number> {
  const { scenario, thresholds, startAt, pid, metricsUrl, metricsPeriodMs, ownMetrics } = options;
  const { url } = outlineOf(scenario);
  await requireHost(url, scenario.kind === "http" ? {} : scenario.endpoint);
  const sampler = await chooseSampler({
    pid,
    metricsUrl,
    defaultMetricsUrl: defaultMetricsUrl(url),
    metricsPeriodMs,
    // autocannon, which makes the HTTP load, does not check certificates.
    ...(scenario.kind === "http" ? { insecure: true } : scenario.endpoint),
  });
  const clockOffset =
    startAt === undefined || scenario.kind === "http"
      ? undefined
      : await measureClockOffset(url, scenario.endpoint);
  const { onInterval, onReady, close } = await serveOwnMetrics(ownMetrics, ["load"]);
  const line = createProgressLine(process.stderr);
  const hurry = new AbortController();
  const interruption = interruptOnSignal(hurry);
  try {
    const autoWarmup =
      options.isWarmedUp === true && scenario.kind === "websocket"
        ? await warmUpFirst(scenario, interruption.signal, hurry.signal)
        : null;
    const outcome = await measure(scenario, {
      sampler,
      thresholds,
      startAt,
      clockOffset,
      signal: interruption.signal,
      hurry: hurry.signal,
      onProgress: (progress) => line.show(progress),
      onInterval,
      onReady,
    });
    line.end();
    const command = scenario.kind === "http" ? "http" : "run";
    return tell(outcome, output, { command, autoWarmup });
  } finally {
    line.end();
    interruption.end();
    close();
  }
}

/** What the Result says of a warm-up of its own length. */
async function warmUpFirst(
  scenario: WebSocketScenario,
  signal: AbortSignal,
  hurry: AbortSignal,
): Promise<Result["autoWarmup"]> {
  const line = createProgressLine(process.stderr);
  try {
    const onProgress = (progress: Progress): void => line.show(progress);
    const { seconds, isSteady } = await warmUp(scenario, { signal, hurry, onProgress });
    return { seconds, steady: isSteady };
  } finally {
    line.end();
  }
}

interface About {
  readonly command: string;
  readonly autoWarmup: Result["autoWarmup"];
}

/** Prints and writes what came out. @returns the exit code */
function tell(outcome: Outcome, output: OutputOptions, { command, autoWarmup }: About): number {
  const { json, out } = output;
  if (outcome.kind === "nothing" || json === true) {
    tellErrors(outcome.errors);
  }
  if (outcome.kind === "nothing") {
    throw new NothingError(outcome.reason);
  }
  const unsettled =
    autoWarmup?.steady === false
      ? [`The target was not steady after ${autoWarmup.seconds} s of warm-up.`]
      : [];
  const result = {
    ...outcome.result,
    command: withoutSecrets(process.argv.slice(2)),
    autoWarmup,
    warnings: [...outcome.result.warnings, ...unsettled],
  };
  process.stdout.write(
    json === true ? formatResultLine(result) : formatText(result, lookFor(process.stdout)),
  );
  const path = out ?? (json === true ? undefined : defaultPath(result.window.startedAt));
  const isWritten = path === undefined || keep(path, formatResult(result), formatResultLine(result), json);
  if (path !== undefined && isWritten) {
    process.stderr.write(`Result: ${path}\n`);
  }
  const isKept = tellCi(output, () => concludeResult(command, result)) && isWritten;
  const fault = problemOfResult(result);
  if (fault !== undefined) {
    process.stderr.write(
      `error: the Result does not match its own schema, which is a fault of uws-echo-bench; it is kept as it is:\n${fault}\n`,
    );
    return exitCodes.crashed;
  }
  return result.failures.length > 0 || !isKept ? exitCodes.notAcceptable : exitCodes.good;
}

/**
 * Writes a document to its file, or else to standard output unless already printed: a measurement is never lost.
 * @returns whether it is in its file
 */
export function keep(path: string, content: string, line: string, isPrinted = false): boolean {
  try {
    writeOnce(path, content);
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) {
      throw error;
    }
    process.stderr.write(`error: ${error.message}; the JSON is on the standard output instead\n`);
    if (!isPrinted) {
      process.stdout.write(line);
    }
    return false;
  }
}

/** Prints the first error of each kind, if no report does. */
function tellErrors(errors: ErrorTally): void {
  for (const [kind, { count, detail }] of Object.entries(errors)) {
    process.stderr.write(`error: ${kind} (${formatNumber(count)}x): ${detail}\n`);
  }
}

/** A name from the time, such as `20261122T163000.123Z-9f3a61c0.json`: generators that start together do not collide. */
function defaultPath(startedAt: string): string {
  return join(defaultFolder, `${startedAt.replace(/[-:]/g, "")}-${randomBytes(4).toString("hex")}.json`);
}
