// The options that commands of sessions share: target, server, threads, reconnecting, thresholds.

import type { Command } from "commander";
import { z } from "zod";
import { highestSeed, mixSeeds, randomSeed } from "../../src/lib/random.ts";
import { parseDuration, parseNumber, UnitError } from "../../src/lib/units.ts";
import { makePayload } from "../engine/payload.ts";
import { hostOf } from "../engine/route.ts";
import { type Metrics, parseThresholdOf, type Threshold } from "../result/threshold.ts";
import type { Reconnect } from "../scenario/population.ts";
import type { Resources, Target } from "../scenario/scenario.ts";
import { limitProblems } from "../target/limits.ts";
import { addServerOptions, type ServerSource } from "./load-options.ts";
import {
  collect,
  parsedBy,
  quantity,
  readFields,
  resultShape,
  UsageError,
  type ValuesOf,
  whole,
} from "./option-schemas.ts";
import { addOwnMetricsOptions, metricsAddress, ownMetricsShape } from "./own-metrics.ts";
import { addPartOptions, type Parts, partShape, type Share, shareFor, totalsProblems } from "./parts.ts";
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

/** The shared options of these commands. */
export interface SessionSettings extends ServerSource {
  readonly label: string | null;
  readonly target: Target;
  readonly reconnect: Reconnect;
  readonly expectedCloses: readonly number[];
  readonly resources: Resources;
  readonly thresholds: readonly Threshold[];
  /** This generator's share of totals. */
  readonly share: Share;
}

const shape = {
  ...targetShape,
  deflate: z.boolean().optional(),
  label: resultShape.label,
  pid: resultShape.pid,
  metricsUrl: resultShape.metricsUrl,
  metricsPeriod: resultShape.metricsPeriod,
  threads: quantity(parseNumber, whole(1, 64)),
  seed: quantity(parseNumber, whole(0, highestSeed)).optional(),
  reconnect: parsedBy(parseReconnect),
  ...ownMetricsShape,
  ...partShape,
  expectClose: parsedBy(parseCloseCodes),
};

interface SharedOptions<T> {
  readonly metrics: Metrics<T>;
  /** Of a threshold. */
  readonly example: string;
  /** Defaults. */
  readonly reconnect: string;
  readonly expectClose: string;
}

/** Adds the options that `readSession` reads. */
export function addSessionOptions<T>(
  command: Command,
  { metrics, example, reconnect, expectClose }: SharedOptions<T>,
): Command {
  addPartOptions(addOwnMetricsOptions(addFirstMessageOptions(addTargetOptions(command))))
    .option(
      "--reconnect <never|full-jitter:base:max>",
      "how clients reconnect: after a random time up to base, then up to twice that, at most max",
      reconnect,
    )
    .option(
      "--expect-close <codes>",
      "close codes that are not failures, separated by commas, or none",
      expectClose,
    )
    .option(...deflateOption)
    .option("-t, --threads <number>", "generator threads", "1")
    .option("--seed <number>", "makes payloads and random choices repeat (default: random)");
  return addServerOptions(command, "1s").option(
    "--threshold <condition>",
    `exit with 1 unless this condition holds, as in ${example} (repeatable; ${metrics.names.join(", ")})`,
    collect,
    [],
  );
}

/** The command's own options. */
export interface OwnOptions<S extends Readonly<Record<string, z.ZodType>>, T> {
  readonly shape: S;
  readonly metrics: Metrics<T>;
  /** Connections at most; fields that could not be read are missing. */
  readonly connections: (values: Partial<ValuesOf<S>>) => number;
  /** Options that are each valid, but not together. */
  readonly conflicts?: (values: Partial<ValuesOf<S>>) => readonly (string | false)[];
}

/**
 * Reads the shared options and the command's own.
 * @throws UsageError with every problem, limits of this machine among them
 */
export function readSession<S extends Readonly<Record<string, z.ZodType>>, T>(
  url: string,
  raw: Readonly<Record<string, unknown>>,
  own: OwnOptions<S, T>,
  others: readonly string[] = [],
): { readonly settings: SessionSettings; readonly values: ValuesOf<S> } {
  const threshold = z.array(parsedBy((text) => parseThresholdOf(own.metrics, text)));
  const shared = readFields({ ...shape, threshold }, raw);
  const mine = readFields(own.shape, raw);
  const wrongUrl = urlProblems(url);
  const templates = readTemplates(shared.values, [url]);
  const problems = [
    ...wrongUrl,
    ...shared.problems,
    ...mine.problems,
    ...totalsProblems(shared.values),
    ...(own.conflicts?.(mine.values) ?? []).filter((problem) => problem !== false),
    ...(wrongUrl.length > 0 ? [] : targetConflicts(shared.values, url)),
    ...templates.problems,
    ...(wrongUrl.length > 0
      ? []
      : limitProblems({
          connections: Math.ceil(own.connections(mine.values) / sharersOf(shared.values)),
          sources: shared.values.source?.length ?? 0,
          isLocal: /^(?:localhost$|127\.)/.test(hostOf(url)),
        })),
    ...others,
  ];
  if (problems.length > 0) {
    throw new UsageError(problems);
  }
  const values = shared.values as ValuesOf<typeof shape> & { threshold: readonly Threshold[] };
  return { settings: settingsOf(url, values, templates), values: mine.values as ValuesOf<S> };
}

/** A binary payload that follows the session's seed. @param number of the payload within the session */
export function sessionPayload({ resources }: SessionSettings, bytes: number, number = 0): Uint8Array {
  return makePayload(bytes, "binary", "random", mixSeeds(resources.seed, number));
}

/** Generators that share the connections. */
function sharersOf({ part, totals }: Parts): number {
  return totals === true && part !== undefined ? part.of : 1;
}

function settingsOf(
  url: string,
  values: ValuesOf<typeof shape> & { readonly threshold: readonly Threshold[] },
  templates: Templates,
): SessionSettings {
  return {
    label: values.label ?? null,
    target: {
      ...endpointOf(url, values, templates),
      deflate: values.deflate ?? false,
      engine: "raw",
      ...(values.source === undefined ? {} : { sources: values.source }),
    },
    reconnect: values.reconnect,
    expectedCloses: values.expectClose,
    resources: { threads: values.threads, seed: values.seed ?? randomSeed(), part: values.part },
    thresholds: values.threshold,
    pid: values.pid,
    metricsUrl: values.metricsUrl,
    metricsPeriodMs: values.metricsPeriod,
    ownMetrics: metricsAddress(values),
    startAt: values.startAt,
    share: shareFor(values),
  };
}

/**
 * Reads `never`, `full-jitter:1s:30s`, or `backoff:1s:30s` for the whole time instead of a random part of it.
 * @throws UnitError
 */
export function parseReconnect(text: string): Reconnect {
  if (text === "never") {
    return { kind: "never" };
  }
  const [, kind, base = "", max = ""] = /^(full-jitter|backoff):([^:]+):([^:]+)$/.exec(text) ?? [];
  if (kind === undefined) {
    throw new UnitError(
      `"${text}" is not a way to reconnect: write never, full-jitter:1s:30s or backoff:1s:30s`,
    );
  }
  const [baseMs, maxMs] = [parseDuration(base), parseDuration(max)];
  if (baseMs <= 0 || maxMs < baseMs) {
    throw new UnitError(`"${text}": the first time must be above 0, and the second one at least that`);
  }
  return { kind: "backoff", baseMs, maxMs, jitter: kind === "full-jitter" ? "full" : "none" };
}

/** Reads `1000,1001`, or `none`. @throws UnitError */
function parseCloseCodes(text: string): number[] {
  const codes = text === "none" ? [] : text.split(",").map(Number);
  const wrong = codes.some((code) => !Number.isInteger(code) || code < 1000 || code > 4999);
  if (wrong) {
    throw new UnitError(`"${text}" is not a list of close codes: write numbers from 1000 to 4999, or none`);
  }
  return codes;
}
