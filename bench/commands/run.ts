// The command `run`: measures a WebSocket target once, reports it and writes the Result.

import type { Command } from "commander";
import { z } from "zod";
import { type Part, partOf, type WebSocketScenario } from "../measure/scenario.ts";
import { addLoadOptions, addResultOptions, addStageOptions, readLoadOptions } from "./load-options.ts";
import { checkTogether, partSchema, readFields, startSchema, UsageError } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems, run } from "./outcome.ts";
import { addOwnMetricsOptions, metricsAddress, ownMetricsShape } from "./own-metrics.ts";
import { runScenarioFile } from "./scenario.ts";

type Raw = OutputOptions & Record<string, unknown> & { readonly scenario?: string };

/** Adds `run URL` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("measure a WebSocket echo target once")
    .argument("[url]", "ws:// or wss:// URL of the echo endpoint; with --scenario, it replaces the file's");
  addStageOptions(addLoadOptions(command));
  const loadOptions = command.options.map((option) => option.attributeName());
  addResultOptions(command)
    .option("--scenario <file>", "run the scenario of this JSON file, instead of a load by options")
    .option(
      "--start-at <time>",
      "connect, then start at this time (RFC 3339, or seconds since 1970), to run several generators together (default: at once)",
    )
    .option(
      "--part <i/n>",
      "which of n generators this is, so that they take turns (auto/n: by JOB_COMPLETION_INDEX, in an indexed Kubernetes Job)",
    )
    .option(
      "--totals",
      "with --part: connections and rates are totals of all generators, of which this one has its share",
    );
  addOutputOptions(addOwnMetricsOptions(command)).action((url: string | undefined, raw: Raw) =>
    act(command, () => {
      const output: OutputOptions = raw;
      if (raw.scenario !== undefined) {
        const strangers = [...loadOptions, "startAt", "part", "require"].filter(
          (name) => name !== "seed" && isGiven(command, name),
        );
        return runScenarioFile({ path: raw.scenario, url, raw, output, strangers });
      }
      if (url === undefined) {
        throw new UsageError(["the URL is missing: give that of the target, or a file with --scenario"]);
      }
      const { values, problems } = readFields(
        {
          startAt: startSchema.optional(),
          part: partSchema.optional(),
          totals: z.boolean().optional(),
          ...ownMetricsShape,
        },
        raw,
      );
      const isWarmedUp = raw["warmup"] === "auto";
      problems.push(...outputProblems(output), ...stageProblems(command));
      if (isWarmedUp && (isGiven(command, "stages") || isGiven(command, "startAt"))) {
        problems.push(
          "--warmup auto takes as long as it takes, so it goes with neither --stages nor --start-at",
        );
      }
      const load = checkTogether([...problems, ...totalsProblems(values)], () =>
        readLoadOptions(url, withWarmup(command, raw)),
      );
      return run(
        {
          ...load,
          scenario: withPart(load.scenario, values),
          startAt: values.startAt,
          isWarmedUp,
          ownMetrics: metricsAddress(values),
        },
        output,
      );
    }),
  );
}

interface Parts {
  readonly part?: Part | undefined;
  readonly totals?: boolean | undefined;
}

function totalsProblems({ part, totals }: Parts): string[] {
  return totals === true && part === undefined ? ["--totals needs --part, which says what the share is"] : [];
}

/** @throws UsageError if a generator would have no connection */
function withPart(scenario: WebSocketScenario, { part, totals }: Parts): WebSocketScenario {
  if (part === undefined || totals !== true) {
    return { ...scenario, part };
  }
  const share = partOf(scenario, part);
  const least = Math.floor(scenario.connections / part.of);
  if (least < scenario.threads || share.probe?.connections === 0) {
    throw new UsageError([
      `--totals: ${part.of} generators cannot share ${scenario.connections} connections: each has ${scenario.threads} generator threads, which need a connection each`,
    ]);
  }
  return share;
}

/** Stages determine the duration of the window. */
function stageProblems(command: Command): string[] {
  return isGiven(command, "stages") && isGiven(command, "duration")
    ? ["--stages and --duration contradict each other: stages have durations of their own"]
    : [];
}

/** The warm-up that `auto` adds once its own has ended: the time that new connections get. */
const warmupOfConnections = "1s";

/** With stages, the first stage is the warm-up, unless --warmup is given. */
function withWarmup(command: Command, raw: Record<string, unknown>): Record<string, unknown> {
  if (raw["warmup"] === "auto") {
    return { ...raw, warmup: warmupOfConnections };
  }
  return isGiven(command, "stages") && !isGiven(command, "warmup") ? { ...raw, warmup: "0" } : raw;
}

function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === "cli";
}
