// Compares stored Results: two unpaired groups, measured at different times.

import { UwsEchoError } from "../../src/lib/errors.ts";
import { compare } from "./analysis.ts";
import { type Comparison, type FigureName, sampleOf } from "./comparison.ts";
import type { Environment, Result } from "./schema.ts";

/** Results cannot be compared; every difference is a separate problem. */
export class MismatchError extends UwsEchoError<"ERR_MISMATCH"> {
  override readonly name = "MismatchError";
  constructor(problems: string | readonly string[]) {
    super("ERR_MISMATCH", problems);
  }
}

export interface StoredArm {
  readonly name: string;
  readonly results: readonly Result[];
}

export interface StoredOptions {
  readonly baseline: StoredArm;
  readonly value: StoredArm;
  readonly margin: number;
  readonly primary: FigureName | undefined;
}

/** The fields that must be equal for a comparison. Target, label and the harness's commit may differ. */
const machineKeys: readonly (keyof Environment)[] = [
  "cpuModel",
  "cores",
  "cpuGovernor",
  "cpuLimitCores",
  "memoryBytes",
  "architecture",
  "container",
];
const systemKeys: readonly (keyof Environment)[] = ["kernel", "distribution"];
const versionKeys = ["node", "uws-echo-bench"] as const;

/**
 * Compares one group of Results with another.
 * @throws MismatchError if machine, versions or load differ, or a Result is on both sides
 */
export function compareStored({ baseline, value, margin, primary }: StoredOptions): Comparison {
  const arms = [baseline, value];
  const all = arms.flatMap(({ results }) => results);
  const [first] = all;
  if (first === undefined || arms.some(({ results }) => results.length === 0)) {
    throw new MismatchError("there is no Result on one side");
  }
  const problems = [...differencesOf(all), ...repeatedResults(arms)];
  if (problems.length > 0) {
    throw new MismatchError([`the Results cannot be compared: ${problems.length} differences`, ...problems]);
  }
  return compare({
    startedAt: all.map(({ window }) => window.startedAt).sort()[0] ?? first.window.startedAt,
    stop: "stored",
    failedRounds: [],
    isPaired: false,
    margin,
    primary,
    arms: arms.map(({ name, results }) => ({ name, target: targetsOf(results) })),
    scenario: first.scenario,
    environment: first.environment,
    samples: arms.flatMap(({ results }, arm) =>
      results.map((result, index) => ({ round: index + 1, arm, process: 1 as const, ...sampleOf(result) })),
    ),
  });
}

function targetsOf(results: readonly Result[]): string {
  return [...new Set(results.map(({ target }) => target.url))].join(" / ");
}

function differencesOf(results: readonly Result[]): string[] {
  return differencesIn(
    results.map((result) => ({ ...machineOf(result), ...systemOf(result), ...loadOf(result) })),
  );
}

/** A sentence for each fact that is not the same everywhere. */
export function differencesIn(facts: readonly Facts[]): string[] {
  return Object.keys(facts[0] ?? {}).flatMap((name) => {
    const seen = new Set(facts.map((fact) => JSON.stringify(fact[name])));
    return seen.size === 1 ? [] : [`${name} differs: ${[...seen].join(" and ")}`];
  });
}

export type Facts = Readonly<Record<string, unknown>>;

/** What a machine is. */
export function machineOf({ environment }: Result): Facts {
  return Object.fromEntries(machineKeys.map((key) => [`environment.${key}`, environment[key]]));
}

/** What runs on the machine. */
export function systemOf({ environment }: Result): Facts {
  return {
    ...Object.fromEntries(systemKeys.map((key) => [`environment.${key}`, environment[key]])),
    ...Object.fromEntries(
      versionKeys.map((key) => [`environment.versions.${key}`, environment.versions[key] ?? null]),
    ),
  };
}

/** What was measured, and by which engine. */
export function loadOf({ scenario, engine, loop }: Result): Facts {
  return {
    ...Object.fromEntries(
      Object.entries({ ...scenario, ...madeUpOf(scenario) }).map(([key, entry]) => [
        `scenario.${key}`,
        entry,
      ]),
    ),
    "engine.name": engine.name,
    loop,
  };
}

/** What differs from run to run without being another load: the seed, and payloads made from it. */
function madeUpOf({ fill, payloadSha256 }: Result["scenario"]): Partial<Result["scenario"]> {
  return { seed: null, payloadSha256: fill === null ? payloadSha256 : null };
}

function repeatedResults([baseline, value]: readonly StoredArm[]): string[] {
  const known = new Set(baseline?.results.map(({ id }) => id));
  const repeated = value?.results.filter(({ id }) => known.has(id)) ?? [];
  return repeated.map(({ window }) => `the Result of ${window.startedAt} is on both sides`);
}
