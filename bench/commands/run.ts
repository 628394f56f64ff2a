// The command `run`: measures a WebSocket target once, reports it and writes the Result.

import type { Command } from "commander";
import { partOf, type WebSocketScenario } from "../measure/scenario.ts";
import { addLoadOptions, addResultOptions, addStageOptions, readLoadOptions } from "./load-options.ts";
import { checkTogether, readFields, UsageError } from "./option-schemas.ts";
import { act, addOutputOptions, type OutputOptions, outputProblems, run } from "./outcome.ts";
import { addOwnMetricsOptions, metricsAddress, ownMetricsShape } from "./own-metrics.ts";
import { addPartOptions, type Parts, partShape, totalsProblems } from "./parts.ts";
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
  addPartOptions(
    addResultOptions(command).option(
      "--scenario <file>",
      "run the scenario of this JSON file, instead of a load by options",
    ),
  );
  addOutputOptions(addOwnMetricsOptions(command)).action((url: string | undefined, raw: Raw) =>
    act(command, () => {
      const output: OutputOptions = raw;
      if (raw.scenario !== undefined) {
        const strangers = [...loadOptions, "startAt", "part", "totals", "require"].filter(
          (name) => name !== "seed" && isGiven(command, name),
        );
        return runScenarioFile({ path: raw.scenario, url, raw, output, strangers });
      }
      if (url === undefined) {
        throw new UsageError(["the URL is missing: give that of the target, or a file with --scenario"]);
      }
      const { values, problems } = readFields({ ...partShape, ...ownMetricsShape }, raw);
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
