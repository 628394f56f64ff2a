// Reads and checks the options of a load, and makes a Scenario from them.

import { isUtf8 } from "node:buffer";
import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { z } from "zod";
import { highestSeed, mixSeeds, randomSeed } from "../../src/lib/random.ts";
import { parseNumber, parseRate } from "../../src/lib/units.ts";
import { fills, makePayload, sequenceDigits } from "../engine/payload.ts";
import type { MetricsAddress } from "../measure/metrics-page.ts";
import type { StartAt } from "../measure/run.ts";
import type { WebSocketScenario } from "../measure/scenario.ts";
import { requiredThresholds, thresholdMetrics } from "../result/threshold.ts";
import { abortMetrics } from "../scenario/scenario.ts";
import { descriptorLimit } from "../target/limits.ts";
import {
  abortSchema,
  checkTogether,
  collect,
  collectOptional,
  commonShape,
  payloadSchema,
  quantity,
  readFields,
  resultShape,
  stagesSchema,
  UsageError,
  type ValuesOf,
  whole,
  within,
} from "./option-schemas.ts";
import {
  addFirstMessageOptions,
  addTargetOptions,
  deflateOption,
  endpointOf,
  readTemplates,
  type Templates,
  targetConflicts,
  targetShape,
  urlProblems,
} from "./target-options.ts";

/** Descriptors that the process needs for itself. */
const spareDescriptors = 64;

/** The allowed values of the options of a WebSocket load. */
const shape = {
  ...commonShape,
  ...targetShape,
  depth: quantity(parseNumber, whole(1, 65_536)).optional(),
  rate: quantity(parseRate, within(0.001, 100_000_000)).optional(),
  arrivals: z.enum(["even", "poisson"], { error: "must be even or poisson" }).optional(),
  connectRate: quantity(parseRate, within(0.1, 1_000_000)).optional(),
  /** The former name of --connect-rate. */
  ramp: quantity(parseRate, within(0.1, 1_000_000)).optional(),
  payload: payloadSchema,
  fill: z.enum(fills, { error: `must be ${fills.join(", ")}` }),
  type: z.enum(["text", "binary"], { error: "must be text or binary" }),
  threads: quantity(parseNumber, whole(1, 64)),
  verify: z.enum(["none", "length", "full"], { error: "must be none, length or full" }),
  engine: z.enum(["raw", "ws"], { error: "must be raw or ws" }),
  deflate: z.boolean().optional(),
  seed: quantity(parseNumber, whole(0, highestSeed)).optional(),
  stages: stagesSchema.optional(),
  probeConnections: quantity(parseNumber, whole(1, 10_000)).optional(),
  probeRate: quantity(parseRate, within(0.1, 100_000)).optional(),
  abortOn: z.array(abortSchema).optional(),
};

type Values = ValuesOf<typeof shape>;
type ResultValues = ValuesOf<typeof resultShape>;

/** The surroundings of a load: sources of the server's figures, this program's own metrics, the common start. */
export interface ServerSource {
  readonly pid: number | undefined;
  /** `off` for none. */
  readonly metricsUrl: string | undefined;
  readonly metricsPeriodMs: number;
  /** Where to serve this program's own metrics. */
  readonly ownMetrics?: MetricsAddress | undefined;
  /** Wall-clock start, shared by several generators. */
  readonly startAt?: StartAt | undefined;
}

/** Adds the options of stages and of a probe, for single measurements. */
export function addStageOptions(command: Command): Command {
  return command
    .optionsGroup("Load:")
    .option(
      "--stages <stages>",
      "open loop whose rate changes: TIME:RATE or TIME:FROM..TO, by commas, as in 30s:0..20k,1m:20k",
    )
    .option(
      "--abort-on <condition>",
      `end the run once this has held for a time, as in p99>50ms:5s (repeatable; ${abortMetrics.join(", ")})`,
      collectOptional,
    )
    .option(
      "--probe-connections <number>",
      "measure latency on connections beside the load, with --probe-rate",
    )
    .option("--probe-rate <per second>", "open loop of the probe: messages per second over its connections");
}

export interface LoadOptions extends ServerSource {
  readonly scenario: WebSocketScenario;
  readonly thresholds: ResultValues["threshold"];
}

/** Adds the name of a measurement, and the sources of the server's figures. */
export function addServerOptions(command: Command, metricsPeriod: string): Command {
  return command
    .option("--label <text>", "name for tables and plots")
    .option("--pid <pid>", "process id of the server; its CPU time and memory are read from /proc")
    .option(
      "--metrics-url <url|off>",
      "URL of the server's Prometheus metrics, read at every address of its host and added up, or off (default: /metrics of the target, if there, but not with --pid)",
    )
    .option(
      "--metrics-period <time>",
      "time between readings of those metrics; each is work for the server",
      metricsPeriod,
    );
}

/** Adds the options of every single measurement: the server, and the thresholds. */
export function addResultOptions(command: Command): Command {
  return addServerOptions(command, "5s")
    .option(
      "--threshold <condition>",
      `exit with 1 unless this condition holds, as in p99<5ms (repeatable; ${thresholdMetrics.join(", ")})`,
      collect,
      [],
    )
    .option("--require <steady>", "exit with 1 unless rate, median and CPU per message kept their level");
}

/** Defaults of a load, as typed. */
export interface LoadDefaults {
  readonly duration: string;
  readonly warmup: string;
}

/** Adds the options of a load to a command; `readLoadOptions` reads their values. */
export function addLoadOptions(
  command: Command,
  defaults: LoadDefaults = { duration: "10s", warmup: "2s" },
): Command {
  command
    .optionsGroup("Load:")
    .option("-c, --connections <number>", "WebSocket connections to open", "64")
    .option("-p, --depth <number>", "closed loop: messages in flight per connection (default: 1)")
    .option(
      "-r, --rate <per second>",
      "open loop: messages per second over all connections, whether or not replies arrive",
    )
    .option("--arrivals <even|poisson>", "open loop: how messages are spread in time (default: even)")
    .option("-d, --duration <time>", "measured window, as in 500ms, 30s, 2m", defaults.duration)
    .option(
      "-w, --warmup <time>",
      "load before the measured window, not counted (run: or auto)",
      defaults.warmup,
    )
    .option("--connect-rate <per second>", "connections to open per second (default: as fast as possible)")
    .addOption(new Option("--ramp <per second>", "the former name of --connect-rate").hideHelp())
    .option("-s, --payload <sizes|@file>", "payload size, several separated by commas, or @ and a file", "64")
    .option("--fill <random|words|zeros>", "content of payloads: how well they compress", "random")
    .option("--type <text|binary>", "type of the messages", "binary")
    .option("-t, --threads <number>", "generator threads", "1")
    .option("--verify <none|length|full>", "how each reply is compared with its message", "length")
    .option("--engine <raw|ws>", "pre-built frames on bare sockets, or the ws package", "raw")
    .option(...deflateOption)
    .option(
      "--seed <number>",
      "make the same payloads and random arrivals as the run with this seed (default: random)",
    );
  return addFirstMessageOptions(addTargetOptions(command));
}

/**
 * Checks the options of `addLoadOptions` and the target's URL.
 * @throws UsageError with every problem
 */
export function readLoad(url: string, raw: Readonly<Record<string, unknown>>): WebSocketScenario {
  const { values, problems } = readFields(shape, raw);
  problems.unshift(...urlProblems(url));
  const templates = readTemplates(values, [url]);
  problems.push(...conflicts(values, url), ...templates.problems);
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  return scenarioOf(url, values as Values, templates);
}

/**
 * Checks the options of `addLoadOptions` and `addResultOptions`, and the target's URL.
 * @throws UsageError with every problem
 */
export function readLoadOptions(url: string, raw: Readonly<Record<string, unknown>>): LoadOptions {
  const { values, problems } = readFields(resultShape, raw);
  const scenario = checkTogether(problems, () => readLoad(url, raw));
  const checked = values as ResultValues;
  return {
    scenario: { ...scenario, label: checked.label ?? null },
    pid: checked.pid,
    metricsUrl: checked.metricsUrl,
    metricsPeriodMs: checked.metricsPeriod,
    thresholds: [...checked.threshold, ...requiredThresholds(checked.require)],
  };
}

/** Options that are valid alone but not together. Invalid ones are missing. */
function conflicts(values: Partial<Values>, url: string): string[] {
  const { rate, depth, arrivals, connections, threads } = values;
  const limit = descriptorLimit();
  return [
    rate !== undefined &&
      depth !== undefined &&
      "--depth belongs to the closed loop, --rate to the open one: give one",
    values.ramp !== undefined &&
      values.connectRate !== undefined &&
      "--ramp is the former name of --connect-rate: give one",
    arrivals !== undefined &&
      rate === undefined &&
      values.stages === undefined &&
      "--arrivals needs --rate or --stages",
    ...stageConflicts(values),
    connections !== undefined &&
      threads !== undefined &&
      threads > connections &&
      `--threads: ${threads} threads cannot share ${connections} connections`,
    threads !== undefined &&
      threads > 4 * availableParallelism() &&
      `--threads: ${threads} is far more than this machine's ${availableParallelism()} cores`,
    connections !== undefined &&
      connections + (values.probeConnections ?? 0) + spareDescriptors > limit &&
      `--connections: ${connections} connections need more than the ${limit} file descriptors allowed (ulimit -n)`,
    ...targetConflicts(values, url),
    ...payloadConflicts(values),
  ].filter((problem) => typeof problem === "string");
}

function stageConflicts({ stages, rate, depth, ...probe }: Partial<Values>): (string | false)[] {
  return [
    (probe.probeConnections === undefined) !== (probe.probeRate === undefined) &&
      "--probe-connections and --probe-rate go together",
    stages !== undefined && rate !== undefined && "--stages and --rate contradict each other: give one",
    stages !== undefined &&
      depth !== undefined &&
      "--depth belongs to the closed loop, --stages to the open one: give one",
  ];
}

function payloadConflicts({ payload, type, verify }: Partial<Values>): (string | false)[] {
  if (payload?.kind !== "file" || type !== "text") {
    return [];
  }
  const { content } = payload;
  const head = content.subarray(0, sequenceDigits + 3);
  return [
    !isUtf8(content) && "--payload: the file is not UTF-8, which text messages must be: use --type binary",
    verify === "full" &&
      head.some((byte) => byte > 0x7f) &&
      `--verify full writes a sequence number over the first ${sequenceDigits} bytes, which must be ASCII in a text payload`,
  ];
}

function scenarioOf(url: string, values: Values, templates: Templates): WebSocketScenario {
  const { payload, type, seed = randomSeed() } = values;
  return {
    kind: "websocket",
    label: null,
    endpoint: {
      ...endpointOf(url, values, templates),
      deflate: values.deflate ?? false,
      payloads:
        payload.kind === "file"
          ? [payload.content]
          : payload.sizes.map((bytes, index) => makePayload(bytes, type, values.fill, mixSeeds(seed, index))),
      type,
      verify: values.verify,
    },
    fill: payload.kind === "file" ? null : values.fill,
    probe: probeOf(values),
    seed,
    engine: values.engine,
    ...loopOf(values),
    abortIf: values.abortOn,
    connections: values.connections,
    connectionsPerSecond: values.connectRate ?? values.ramp,
    sources: values.source ?? [],
    threads: values.threads,
    warmupMs: values.warmup,
  };
}

/** Connections that this process may have; unlimited if unknown. */
export function mostConnections(): number {
  return descriptorLimit() - spareDescriptors;
}

function probeOf({ probeConnections, probeRate }: Values): WebSocketScenario["probe"] {
  return probeConnections === undefined || probeRate === undefined
    ? undefined
    : { connections: probeConnections, ratePerSecond: probeRate };
}

function loopOf({ stages, rate, depth, duration, ...values }: Values) {
  const arrivals = values.arrivals ?? "even";
  if (stages !== undefined) {
    const durationMs = stages.reduce((sum, stage) => sum + stage.durationMs, 0);
    const due = stages.reduce((sum, { durationMs: ms, from, to }) => sum + (ms * (from + to)) / 2, 0);
    return { loop: { kind: "open", ratePerSecond: due / durationMs, arrivals }, stages, durationMs } as const;
  }
  const loop =
    rate === undefined
      ? ({ kind: "closed", depth: depth ?? 1 } as const)
      : ({ kind: "open", ratePerSecond: rate, arrivals } as const);
  return { loop, durationMs: duration };
}
