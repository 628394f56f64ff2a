// The command `check`: tests what a proxy or a network does between a client and a WebSocket server.

import type { Command } from "commander";
import { z } from "zod";
import { formatElapsed } from "../../src/lib/format.ts";
import { parseSize } from "../../src/lib/units.ts";
import type { Limits } from "../probe/check.ts";
import type { Target } from "../probe/conversation.ts";
import { connectionsNeeded, lengthOfChecks, runChecks } from "../probe/run.ts";
import { formatCheck } from "../report/check/text.ts";
import { concludeCheck } from "../report/checks/check.ts";
import { checkSchema } from "../result/check.ts";
import { describeEnvironment } from "../target/environment.ts";
import { requireHost } from "../target/target.ts";
import { tellConcluded } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { duration, quantity, readFields, UsageError, type ValuesOf, whole } from "./option-schemas.ts";
import { act, addOutputOptions, interruptOnSignal, type OutputOptions, outputProblems } from "./outcome.ts";
import { createCheckLine } from "./progress.ts";
import {
  addTargetOptions,
  endpointOf,
  readTemplates,
  targetConflicts,
  targetShape,
  urlProblems,
} from "./target-options.ts";

const shape = {
  ...targetShape,
  idle: duration(100, 86_400_000),
  maxSize: quantity(parseSize, whole(0, 256 * 1024 * 1024)),
  direct: z.string().optional(),
};

interface CheckArguments {
  readonly target: Target;
  readonly direct: Target | undefined;
  readonly limits: Limits;
}

/** Adds `check URL` to the program. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command("check")
    .description(
      "test what happens between a client and a WebSocket server, and how long a connection may be idle",
    )
    .argument("<url>", "ws:// or wss:// URL; an echo endpoint allows the most checks")
    .option("--direct <url>", "direct URL of the same server, to compare with")
    .option("--idle <time>", "how long a connection must stay open: silent, with pings, with messages", "65s")
    .option("--max-size <size>", "the largest message that must pass", "1MiB");
  addOutputOptions(addTargetOptions(command), "CheckReport").action(
    (url: string, raw: OutputOptions & Record<string, unknown>) =>
      act(command, () => check(readArguments(url, raw, outputProblems(raw)), raw)),
  );
}

/** Checks the options. @throws UsageError with every problem */
function readArguments(
  url: string,
  raw: Readonly<Record<string, unknown>>,
  others: readonly string[],
): CheckArguments {
  const { values, problems } = readFields(shape, raw);
  const urls = [url, ...(values.direct === undefined ? [] : [values.direct])];
  problems.unshift(...urls.flatMap(urlProblems));
  const templates = readTemplates(values, urls);
  problems.push(...conflictsOf(values, urls), ...templates.problems, ...others);
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const checked = values as ValuesOf<typeof shape>;
  const targetAt = (address: string): Target => ({
    ...endpointOf(address, checked, templates),
    localAddress: checked.source?.[0],
  });
  return {
    target: targetAt(url),
    direct: checked.direct === undefined ? undefined : targetAt(checked.direct),
    limits: { idleMs: checked.idle, maxSizeBytes: checked.maxSize },
  };
}

/** One of two URLs may be without TLS, for which options for TLS are ignored. */
function conflictsOf(values: Parameters<typeof targetConflicts>[0], urls: readonly string[]): string[] {
  const isSecure = urls.some((url) => /^wss:/i.test(url));
  const conflicts = urls.flatMap((url) =>
    targetConflicts(values, isSecure ? url.replace(/^ws:/i, "wss:") : url),
  );
  return [...new Set(conflicts)];
}

/** Runs the checks, prints and writes what they found. @returns the exit code */
async function check({ target, direct, limits }: CheckArguments, output: OutputOptions): Promise<number> {
  for (const each of [target, ...(direct === undefined ? [] : [direct])]) {
    await requireHost(each.url, each);
  }
  process.stderr.write(
    `Checks take about ${formatElapsed(lengthOfChecks(limits))} (--idle) with up to ${connectionsNeeded(limits)} connections${direct === undefined ? "" : " to each URL"}; Ctrl-C ends them early.\n`,
  );
  const interruption = interruptOnSignal();
  const line = createCheckLine(process.stderr);
  try {
    const outcome = await runChecks({
      target,
      direct,
      limits,
      environment: describeEnvironment(),
      signal: interruption.signal,
      onProgress: (progress) => line.show(progress),
    });
    line.end();
    if (outcome.kind === "nothing") {
      throw new NothingError(outcome.reason, "checked");
    }
    return tellConcluded({
      document: outcome.report,
      schema: checkSchema,
      text: formatCheck,
      conclude: concludeCheck,
      output,
    });
  } finally {
    line.end();
    interruption.end();
  }
}
