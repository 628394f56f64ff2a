// The command `run`: measures a WebSocket target once, reports it and writes the Result.

import type { Command } from "commander";
import { addLoadOptions, addResultOptions, readLoadOptions } from "./load-options.ts";
import { checkTogether, partSchema, readFields, startSchema } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems, run } from "./outcome.ts";

/** Adds `run URL` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("measure a WebSocket echo target once")
    .argument("<url>", "ws:// or wss:// URL of the echo endpoint");
  addResultOptions(addLoadOptions(command))
    .option(
      "--start-at <time>",
      "connect, then start at this time (RFC 3339, or seconds since 1970), to run several generators together (default: at once)",
    )
    .option(
      "--part <i/n>",
      "which of n generators this is, so that they take turns (auto/n: by JOB_COMPLETION_INDEX, in an indexed Kubernetes Job)",
    );
  addOutputOptions(command).action((url: string, raw: Record<string, unknown>) =>
    act(command, () => {
      const output: OutputOptions = raw;
      const { values, problems } = readFields(
        { startAt: startSchema.optional(), part: partSchema.optional() },
        raw,
      );
      const load = checkTogether([...problems, ...outputProblems(output)], () => readLoadOptions(url, raw));
      return run(
        {
          ...load,
          scenario: { ...load.scenario, part: values.part },
          startAt: values.startAt,
        },
        output,
      );
    }),
  );
}
