// The options of `search`: what to vary, the objectives, and the time limits.

import { type Command, Option } from "commander";
import { z } from "zod";
import { formatDuration, parseRate } from "../../src/lib/units.ts";
import { isUrl } from "../measure/once.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";
import { afterwardsMs } from "../measure/search.ts";
import type { TrialOptions } from "../measure/trials.ts";
import { type Dimension, dimensions } from "../result/search.ts";
import { sloMetrics } from "../result/slo.ts";
import { addLoadOptions, mostConnections, readLoad } from "./load-options.ts";
import {
  checkTogether,
  collect,
  duration,
  quantity,
  readFields,
  resultShape,
  share,
  sloSchema,
  UsageError,
  type ValuesOf,
  within,
} from "./option-schemas.ts";
import { addStartableOptions, pathProblems, startableProblems } from "./startable.ts";

/** Length of the closed loop from which a search over the rate starts. */
export const saturationMs = 3000;
const mostRate = 100_000_000;
const mostDepth = 65_536;
const mostGoals = 16;
/** Time to start a target and its first connections, in addition to all trials. */
const spareMs = 5000;

const shape = {
  slo: z
    .array(sloSchema)
    .min(1, "give at least one objective, as in --slo 'p99<5ms'")
    .max(mostGoals, `at most ${mostGoals} objectives are allowed`),
  over: z.enum(dimensions),
  width: share(0.001, 0.5),
  min: quantity(parseRate, within(0.001, mostRate)).optional(),
  max: quantity(parseRate, within(0.001, mostRate)).optional(),
  ratePerConnection: quantity(parseRate, within(0.001, 1_000_000)).optional(),
  durationSum: duration(10, 3_600_000),
  exceedRatio: share(0.01, 0.99),
  confirm: duration(0, 3_600_000),
  deadline: duration(1000, 7 * 86_400_000),
  label: resultShape.label,
  pid: resultShape.pid,
  metricsUrl: resultShape.metricsUrl,
};

type Values = ValuesOf<typeof shape>;

export interface SearchCommand extends Omit<TrialOptions, "signal" | "onProgress" | "slos"> {
  readonly values: Values;
  readonly settleMs: number;
  readonly trialMs: number;
  /** Undefined to find it by saturating the target. */
  readonly startLoad: number | undefined;
  readonly min: number | undefined;
  readonly max: number;
}

/** Adds the options of `search` to its command. */
export function addSearchOptions(command: Command): Command {
  addLoadOptions(command, { duration: "2s", warmup: "1s" });
  return addStartableOptions(
    command
      .optionsGroup("Search:")
      .option(
        "--slo <conditions>",
        `what has to hold, as in p99<5ms or 'within(5ms)>=99.9%,lost==0' (repeatable: each is a goal of its own; ${sloMetrics.join(", ")})`,
        collect,
        [],
      )
      .addOption(
        new Option(
          "--over <what>",
          "what to vary: messages per second, connections, or messages in flight per connection",
        )
          .choices(dimensions)
          .default("rate"),
      )
      .option(
        "--width <share>",
        "maximum gap between the largest load that holds and the smallest that fails",
        "2%",
      )
      .option("--min <load>", "smallest load to try (default: 1, or 1 % of the start for a rate)")
      .option("--max <load>", "largest load to try (default: what this machine allows)")
      .option(
        "--rate-per-connection <per second>",
        "with --over connections: an open loop in which each connection sends at this rate",
      )
      .option("--duration-sum <time>", "time of trials that decides about a load", "14s")
      .option("--exceed-ratio <share>", "share of that time that may fail", "50%")
      .option("--confirm <time>", "length of the trial that confirms a result; 0 for none", "5s")
      .option("--deadline <time>", "end after this time, with the bounds known by then", "5m"),
  ).optionsGroup("");
}

/** Checks all options. @throws UsageError with every problem */
export function readSearchOptions(
  target: string,
  raw: Readonly<Record<string, unknown>>,
  given: (name: string) => boolean,
): SearchCommand {
  const { values, problems } = readFields(shape, raw);
  const path = String(raw["path"]);
  problems.push(...pathProblems(path), ...startableProblems(target));
  problems.push(...dimensionProblems(values, given));
  const url = isUrl(target) ? target : `ws://127.0.0.1${path}`;
  const scenario = checkTogether(problems, () => readLoad(url, loadOf(raw, values)));
  const command = commandOf(target, scenario, values as Values, given);
  const late = rangeProblems(command);
  if (late.length > 0) {
    throw new UsageError(late);
  }
  return command;
}

/** The options of the load: with a rate it is an open loop, whose rate is set later. */
function loadOf(raw: Readonly<Record<string, unknown>>, { over, ratePerConnection }: Partial<Values>) {
  const isOpen = over === "rate" || ratePerConnection !== undefined;
  return {
    ...raw,
    rate: isOpen ? (raw["rate"] ?? "1") : undefined,
    depth: isOpen ? undefined : raw["depth"],
  };
}

function commandOf(
  target: string,
  scenario: WebSocketScenario,
  values: Values,
  given: (name: string) => boolean,
): SearchCommand {
  const { over, ratePerConnection, min, label } = values;
  return {
    values,
    target,
    scenario: { ...scenario, label: label ?? null, loop: loopOf(scenario, values) },
    over,
    ratePerConnection,
    pid: values.pid,
    metricsUrl: values.metricsUrl,
    settleMs: scenario.warmupMs,
    trialMs: scenario.durationMs,
    startLoad: startOf(scenario, over, given),
    min: over === "rate" ? min : (min ?? 1),
    max: values.max ?? mostOf(over),
  };
}

function loopOf(
  { loop, connections }: WebSocketScenario,
  { ratePerConnection }: Values,
): WebSocketScenario["loop"] {
  return loop.kind === "open" && ratePerConnection !== undefined
    ? { ...loop, ratePerSecond: connections * ratePerConnection }
    : loop;
}

function startOf(
  { loop, connections }: WebSocketScenario,
  over: Dimension,
  given: (name: string) => boolean,
): number | undefined {
  switch (over) {
    case "rate":
      return given("rate") && loop.kind === "open" ? loop.ratePerSecond : undefined;
    case "connections":
      return connections;
    case "depth":
      return loop.kind === "closed" ? loop.depth : 1;
  }
}

function mostOf(over: Dimension): number {
  return over === "rate" ? mostRate : over === "depth" ? mostDepth : Math.min(1_000_000, mostConnections());
}

/** Options that do not go with what is varied. */
function dimensionProblems(
  { over, ratePerConnection }: Partial<Values>,
  given: (name: string) => boolean,
): string[] {
  return [
    over === "rate" &&
      given("depth") &&
      "--depth: a search over the rate is an open loop, which has no depth",
    over !== undefined &&
      over !== "rate" &&
      given("rate") &&
      `--rate: a search over ${over} takes --${over === "depth" ? "depth" : "rate-per-connection"} instead`,
    over !== "connections" &&
      ratePerConnection !== undefined &&
      "--rate-per-connection needs --over connections",
    given("depth") &&
      ratePerConnection !== undefined &&
      "--depth belongs to the closed loop, --rate-per-connection to the open one: give one",
  ].filter((problem) => typeof problem === "string");
}

function rangeProblems(command: SearchCommand): string[] {
  const { min, max, over, startLoad, values, settleMs, trialMs } = command;
  const { slo, confirm, deadline, durationSum } = values;
  const isBroken = (value: number | undefined): boolean => value !== undefined && !Number.isInteger(value);
  const leastMs =
    spareMs +
    (startLoad === undefined ? saturationMs + settleMs : 0) +
    settleMs +
    trialMs +
    afterwardsMs({
      slos: slo.map(({ expression }) => expression),
      rule: { trialMs },
      settleMs,
      confirmMs: confirm,
    });
  return [
    min !== undefined && min > max && `--min: more than --max (${max})`,
    over !== "rate" &&
      (isBroken(values.min) || isBroken(values.max)) &&
      `--min, --max: ${over} are whole numbers`,
    over === "connections" &&
      max > mostOf(over) &&
      `--max: more than the ${mostOf(over)} connections that file descriptors allow (ulimit -n)`,
    over === "depth" && max > mostDepth && `--max: a depth is at most ${mostDepth}`,
    over === "connections" &&
      (min ?? 1) < command.scenario.threads &&
      values.min !== undefined &&
      "--min: fewer connections than --threads",
    durationSum < trialMs && "--duration-sum: shorter than one trial (--duration)",
    deadline < leastMs &&
      `--deadline: must be at least ${formatDuration(Math.ceil(leastMs / 1000) * 1000)}, which one trial takes with what comes before and after it`,
  ].filter((problem) => typeof problem === "string");
}
