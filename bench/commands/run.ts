// The command `run`: measures a WebSocket target once, reports it and writes the Result.

import type { Command } from "commander";
import { addLoadOptions, addResultOptions, addStageOptions, readLoadOptions } from "./load-options.ts";
import { checkTogether, partSchema, readFields, startSchema } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems, run } from "./outcome.ts";
import { addOwnMetricsOptions, metricsAddress, ownMetricsShape } from "./own-metrics.ts";

/** Adds `run URL` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("measure a WebSocket echo target once")
    .argument("<url>", "ws:// or wss:// URL of the echo endpoint");
  addResultOptions(addStageOptions(addLoadOptions(command)))
    .option(
      "--start-at <time>",
      "connect, then start at this time (RFC 3339, or seconds since 1970), to run several generators together (default: at once)",
    )
    .option(
      "--part <i/n>",
      "which of n generators this is, so that they take turns (auto/n: by JOB_COMPLETION_INDEX, in an indexed Kubernetes Job)",
    );
  addOutputOptions(addOwnMetricsOptions(command)).action((url: string, raw: Record<string, unknown>) =>
    act(command, () => {
      const output: OutputOptions = raw;
      const { values, problems } = readFields(
        { startAt: startSchema.optional(), part: partSchema.optional(), ...ownMetricsShape },
        raw,
      );
      problems.push(...outputProblems(output), ...stageProblems(command));
      const load = checkTogether(problems, () => readLoadOptions(url, withoutWarmup(command, raw)));
      return run(
        {
          ...load,
          scenario: { ...load.scenario, part: values.part },
          startAt: values.startAt,
          ownMetrics: metricsAddress(values),
        },
        output,
      );
    }),
  );
}

/** Stages say how long the window is. */
function stageProblems(command: Command): string[] {
  return isGiven(command, "stages") && isGiven(command, "duration")
    ? ["--stages and --duration contradict each other: stages have durations of their own"]
    : [];
}

/** A load of stages has the warm-up that it begins with, unless another one is asked for. */
function withoutWarmup(command: Command, raw: Record<string, unknown>): Record<string, unknown> {
  return isGiven(command, "stages") && !isGiven(command, "warmup") ? { ...raw, warmup: "0" } : raw;
}

function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === "cli";
}
