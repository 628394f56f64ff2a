// Owns the command `run`: options in, one measurement, its report and its file out.
// Must not know how a measurement is made.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import type { ErrorTally } from "../load/generator.ts";
import { addLoadOptions, type LoadOptions, readLoadOptions, UsageError } from "../options.ts";
import { createProgressLine } from "../progress.ts";
import { formatText } from "../report/text.ts";
import { failuresOf } from "../report/warnings.ts";
import { formatResult, StoreError, writeResult } from "../result/store.ts";
import { measure, type Outcome } from "../run.ts";
import { chooseSampler } from "../sampler.ts";
import { defaultMetricsUrl, TargetError } from "../target.ts";
import { formatNumber } from "../units.ts";

/** Where Results go that were given no name. */
const DEFAULT_FOLDER = "uws-echo-bench-results";

interface OutputOptions {
  readonly json?: boolean;
  readonly out?: string;
}

/** Adds `run URL` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("measure a WebSocket echo target once")
    .argument("<url>", "ws:// or wss:// URL of the echo endpoint");
  addLoadOptions(command)
    .option("--json", "print the Result as JSON to the standard output, and nothing else")
    .option("-o, --out <file>", `write the Result to this new file (default: one in ${DEFAULT_FOLDER}/)`)
    .action(async (url: string, raw: Record<string, unknown>) => {
      try {
        const output: OutputOptions = raw;
        process.exitCode = await run(checkOptions(url, raw, output), output);
      } catch (error) {
        if (error instanceof UsageError) {
          command.error(error.problems.map((problem) => `error: ${problem}`).join("\n"), {
            exitCode: EXIT.usage,
          });
        } else if (error instanceof TargetError || error instanceof StoreError) {
          command.error(`error: ${error.message}`, { exitCode: EXIT.nothing });
        }
        throw error;
      }
    });
}

function checkOptions(url: string, raw: Record<string, unknown>, { out }: OutputOptions): LoadOptions {
  const problems =
    out !== undefined && existsSync(out)
      ? [`--out: ${out} exists already: a measurement is never overwritten`]
      : [];
  try {
    const options = readLoadOptions(url, raw);
    if (problems.length === 0) {
      return options;
    }
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    problems.unshift(...error.problems);
  }
  throw new UsageError(problems);
}

async function run(
  { scenario, thresholds, pid, metricsUrl }: LoadOptions,
  output: OutputOptions,
): Promise<number> {
  const sampler = await chooseSampler({
    pid,
    metricsUrl,
    defaultMetricsUrl: defaultMetricsUrl(scenario.endpoint.url),
  });
  const line = createProgressLine(process.stderr);
  const interruption = interruptOnSignal();
  try {
    const outcome = await measure(scenario, {
      sampler,
      thresholds,
      signal: interruption.signal,
      onProgress: (progress) => line.show(progress),
    });
    line.end();
    return tell(outcome, output);
  } finally {
    line.end();
    interruption.end();
  }
}

/** The first Ctrl-C (or SIGTERM) ends the measurement early; the second one ends the process at once. */
function interruptOnSignal(): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort();
    end();
  };
  const end = (): void => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return { signal: controller.signal, end };
}

function tell(outcome: Outcome, { json, out }: OutputOptions): number {
  tellErrors(outcome.errors);
  if (outcome.kind === "nothing") {
    process.stderr.write(`error: nothing was measured: ${outcome.reason}\n`);
    return EXIT.nothing;
  }
  const { result } = outcome;
  process.stdout.write(json === true ? formatResult(result) : formatText(result));
  const path = out ?? (json === true ? undefined : defaultPath(result.window.startedAt));
  if (path !== undefined) {
    writeResult(path, result);
    process.stderr.write(`Result: ${path}\n`);
  }
  return failuresOf(result).length > 0 ? EXIT.notAcceptable : EXIT.good;
}

/** A Result only counts errors; what was said is for whoever watches. */
function tellErrors(errors: ErrorTally): void {
  for (const [kind, { count, detail }] of Object.entries(errors)) {
    process.stderr.write(`error: ${kind} (${formatNumber(count)}x): ${detail}\n`);
  }
}

/** A name from the time, such as `20261122T163000.123Z.json`. */
function defaultPath(startedAt: string): string {
  return join(DEFAULT_FOLDER, `${startedAt.replace(/[-:]/g, "")}.json`);
}
