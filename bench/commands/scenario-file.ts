// Reads and checks a scenario from a JSON file, and reports every problem with its place.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { highestSeed, mixSeeds, randomSeed } from "../../src/lib/random.ts";
import { parseNumber, parseRate } from "../../src/lib/units.ts";
import { hostOf } from "../engine/route.ts";
import { connectionsOf } from "../measure/plan.ts";
import { defaultGuards, type Group, type Scenario, type Step, type Target } from "../scenario/scenario.ts";
import { parseCurve } from "../scenario/stages.ts";
import type { Traffic } from "../scenario/traffic.ts";
import { limitProblems } from "../target/limits.ts";
import {
  abortSchema,
  duration,
  parsedBy,
  quantity,
  readFields,
  UsageError,
  within,
} from "./option-schemas.ts";
import { readTraffic, trafficSchema } from "./scenario-traffic.ts";
import { parseReconnect } from "./session-options.ts";
import {
  endpointOf,
  readTemplates,
  type TargetValues,
  targetConflicts,
  targetShape,
  urlProblems,
} from "./target-options.ts";

const mostGroups = 20;
const mostSteps = 1000;
const dayMs = 86_400_000;

/** As on the command line, whose checks hold here too. */
const targetSchema = z.strictObject({
  url: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  subprotocols: z.array(z.string()).default([]),
  origin: z.string().optional(),
  ca: z.string().optional(),
  insecure: z.boolean().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  servername: z.string().optional(),
  /** Addresses by host name. */
  resolve: z.record(z.string(), z.string()).default({}),
  sources: z.array(z.string()).min(1).optional(),
  timeout: z.string().default("10s"),
  engine: z.enum(["raw", "ws"], { error: "must be raw or ws" }).default("raw"),
  deflate: z.boolean().default(false),
  firstMessage: z.string().optional(),
  firstReplies: z.int().transform(String).optional(),
});

const sizeSchema = z.union(
  [
    z
      .int()
      .min(0)
      .transform((size) => [{ durationMs: 0, from: size, to: size }]),
    parsedBy((text: string) => parseCurve(text, parseNumber)),
  ],
  { error: "must be a number, or stages as in 10s:0..1000,1m:1000" },
);

const lifetimeSchema = z.union(
  [
    duration(10, 7 * dayMs).transform((ms) => ({ kind: "fixed", ms }) as const),
    z
      .strictObject({ exponential: duration(10, 7 * dayMs) })
      .transform(({ exponential }) => ({ kind: "exponential", meanMs: exponential }) as const),
  ],
  { error: 'must be a time, as in "30s", or {"exponential": "30s"}' },
);

const populationSchema = z.strictObject({
  size: sizeSchema,
  connectRate: quantity(parseRate, within(0.1, 1_000_000)).optional(),
  arrivals: z.enum(["even", "poisson"], { error: "must be even or poisson" }).default("even"),
  lifetime: lifetimeSchema.nullable().default(null),
  reconnect: parsedBy(parseReconnect).default({ kind: "never" }),
  expectedCloses: z.array(z.int().min(1000).max(4999)).default([]),
});

const stepSchema = z.strictObject({
  name: z.string().min(1),
  duration: duration(10, 7 * dayMs),
  measured: z.boolean().default(true),
  abortIf: z.array(abortSchema).default([]),
});

const groupSchema = z.strictObject({
  name: z.string().min(1),
  population: populationSchema,
  traffic: trafficSchema,
});

const fileSchema = z
  .strictObject({
    target: targetSchema,
    groups: z.array(groupSchema).min(1).max(mostGroups).optional(),
    population: populationSchema.optional(),
    traffic: trafficSchema.optional(),
    timeline: z.array(stepSchema).min(1).max(mostSteps),
    guards: z
      .strictObject({
        goneAfter: duration(100, dayMs).optional(),
        maxFailures: z.int().min(0).optional(),
      })
      .default({}),
    resources: z
      .strictObject({
        threads: z.int().min(1).max(64).default(1),
        seed: z.int().min(0).max(highestSeed).optional(),
      })
      .default({ threads: 1 }),
  })
  .superRefine((file, context) => {
    const isSingle = file.population !== undefined && file.traffic !== undefined;
    if (isSingle === (file.groups !== undefined)) {
      context.addIssue({
        code: "custom",
        path: ["groups"],
        message: "give either groups, or population and traffic of the only one",
      });
    }
    for (const [list, items] of [
      ["groups", file.groups ?? []],
      ["timeline", file.timeline],
    ] as const) {
      const names = items.map(({ name }) => name);
      if (new Set(names).size < names.length) {
        context.addIssue({ code: "custom", path: [list], message: "two have the same name" });
      }
    }
  });

type File = z.infer<typeof fileSchema>;

/**
 * Reads a scenario.
 * @param url replaces the file's
 * @param ownSeed replaces the file's
 * @throws UsageError with every problem
 */
export function readScenarioFile(path: string, url: string | undefined, ownSeed?: number): Scenario {
  const file = parse(path, url);
  const folder = dirname(resolve(path));
  const seed = ownSeed ?? file.resources.seed ?? randomSeed();
  const problems: string[] = [];
  const target = targetOf(file, folder, problems);
  const groups = groupsOf(file).flatMap(({ name, population, traffic }, number): Group[] => {
    try {
      const { connectRate, ...rest } = population;
      const content = readTraffic(traffic, folder, mixSeeds(seed, number), file.target.url);
      checkHttpPopulation(content, population);
      return [{ name, population: { ...rest, connectRate }, traffic: content }];
    } catch (error) {
      problems.push(`traffic of ${name}: ${(error as Error).message}`);
      return [];
    }
  });
  if (target !== undefined && problems.length === 0) {
    problems.push(
      ...limitProblems({
        connections: connectionsOf(groups),
        sources: target.sources?.length ?? 0,
        isLocal: /^(?:localhost$|127\.)/.test(hostOf(target.url)),
      }),
    );
  }
  if (target === undefined || problems.length > 0) {
    throw new UsageError(problems.map((problem) => `${path}: ${problem}`));
  }
  return scenarioOf(file, target, groups, seed);
}

/** autocannon opens all connections at once, and replaces those that end. @throws Error */
function checkHttpPopulation({ kind }: Traffic, population: z.infer<typeof populationSchema>): void {
  const { size, connectRate, lifetime, reconnect, expectedCloses } = population;
  const isConstant = size.length === 1 && size.every(({ from, to }) => from === to && to >= 1);
  const isPlain = connectRate === undefined && lifetime === null && reconnect.kind === "never";
  if (kind === "http" && !(isConstant && isPlain && expectedCloses.length === 0)) {
    throw new Error("the population of http is a size, constant and at least 1, and nothing else");
  }
}

/** Adds what is wrong to `problems`. */
function targetOf({ target }: File, folder: string, problems: string[]): Target | undefined {
  const {
    url,
    engine,
    deflate,
    headers,
    subprotocols,
    sources,
    ca,
    cert,
    key,
    resolve: addresses,
    ...rest
  } = target;
  const pathOf = (file: string | undefined) => (file === undefined ? undefined : resolve(folder, file));
  const { values, problems: wrong } = readFields(targetShape, {
    ...rest,
    header: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    subprotocol: subprotocols,
    resolve: Object.entries(addresses).map(([host, address]) => `${host}:${address}`),
    source: sources?.join(","),
    ca: pathOf(ca),
    cert: pathOf(cert),
    key: pathOf(key),
  });
  const wrongUrl = urlProblems(url);
  const templates = readTemplates(values, [url], folder);
  const found = [
    ...wrongUrl,
    ...wrong,
    ...(wrongUrl.length > 0 ? [] : targetConflicts(values, url)),
    ...templates.problems,
  ];
  problems.push(...found.map((problem) => inTarget(problem)));
  return found.length > 0
    ? undefined
    : {
        ...endpointOf(url, values as TargetValues, templates),
        deflate,
        engine,
        sources: (values as TargetValues).source ?? [],
      };
}

/** Names options as the file does: `--first-replies` is `target.firstReplies`. */
function inTarget(problem: string): string {
  return problem.replaceAll(
    /(^| )--([a-z][a-z-]*)/g,
    (_, before: string, option: string) =>
      `${before}target.${option.replaceAll(/-([a-z])/g, (__, letter: string) => letter.toUpperCase())}`,
  );
}

function parse(path: string, url: string | undefined): File {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError([`--scenario: cannot read ${path}: ${(error as Error).message}`]);
  }
  const parsed = fileSchema.safeParse(withUrl(content, url));
  if (!parsed.success) {
    throw new UsageError(
      parsed.error.issues.map((issue) => `${path}: ${placeOf(issue.path)}${issue.message}`),
    );
  }
  return parsed.data;
}

function withUrl(content: unknown, url: string | undefined): unknown {
  if (url === undefined || typeof content !== "object" || content === null) {
    return content;
  }
  const { target } = content as { target?: unknown };
  return { ...content, target: { ...(typeof target === "object" ? target : {}), url } };
}

/** `groups[0].traffic.rate: ` */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  return place === "" ? "" : `${place}: `;
}

function groupsOf({ groups, population, traffic }: File) {
  return population === undefined || traffic === undefined
    ? (groups ?? [])
    : [{ name: "all", population, traffic }];
}

function scenarioOf(file: File, target: Target, groups: readonly Group[], seed: number): Scenario {
  const { timeline, guards, resources } = file;
  const usual = defaultGuards(connectionsOf(groups));
  return {
    target,
    groups,
    timeline: timeline.map(
      ({ name, duration: durationMs, measured, abortIf }): Step => ({ name, durationMs, measured, abortIf }),
    ),
    guards: {
      goneAfterMs: guards.goneAfter ?? usual.goneAfterMs,
      maxFailures: guards.maxFailures ?? usual.maxFailures,
    },
    resources: { threads: resources.threads, seed, part: undefined },
  };
}
