// Owns the command `run`: options in, one measurement, its report and its file out.
// Must not know how a measurement is made.

import type { Command } from "commander";
import { measure } from "../measure/measure.ts";
import { chooseSampler } from "../target/sampler.ts";
import { defaultMetricsUrl } from "../target/target.ts";
import { addLoadOptions, type LoadOptions, readLoadOptions } from "./load-options.ts";
import { readFields, startSchema } from "./option-schemas.ts";
import {
  act,
  addOutputOptions,
  checkTogether,
  interruptOnSignal,
  type OutputOptions,
  outputProblems,
  tell,
} from "./outcome.ts";
import { createProgressLine } from "./progress.ts";

/** Adds `run URL` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("measure a WebSocket echo target once")
    .argument("<url>", "ws:// or wss:// URL of the echo endpoint");
  addLoadOptions(command).option(
    "--start-at <time>",
    "connect, then wait until this moment (RFC 3339, or seconds since 1970) to start, as others do (default: at once)",
  );
  addOutputOptions(command).action((url: string, raw: Record<string, unknown>) =>
    act(command, () => {
      const output: OutputOptions = raw;
      const { values, problems } = readFields({ startAt: startSchema.optional() }, raw);
      return run(
        checkTogether([...problems, ...outputProblems(output)], () => readLoadOptions(url, raw)),
        values.startAt,
        output,
      );
    }),
  );
}

async function run(
  { scenario, thresholds, pid, metricsUrl }: LoadOptions,
  startAt: Date | undefined,
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
      startAt,
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
