// The command `sweep`: measures every combination of several loads, in a random order, into a folder.

import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { formatElapsed } from "../../src/lib/format.ts";
import { randomSeed } from "../../src/lib/random.ts";
import { lookFor } from "../../src/lib/terminal.ts";
import { isUrl, measureOnce } from "../measure/once.ts";
import { recordScenario } from "../measure/scenario.ts";
import { planEntries, sweep } from "../measure/sweep.ts";
import { concludeSweepChecks } from "../report/checks/sweep.ts";
import { formatSweep } from "../report/sweep/text.ts";
import { describeSample } from "../report/sweep/words.ts";
import type { Result } from "../result/schema.ts";
import { parseVersioned, readResult, readText, writeOnce, writeResult } from "../result/store.ts";
import {
  concludeSweep,
  type PlanEntry,
  type Sweep,
  type SweepPlan,
  sweepPlanKind,
  sweepPlanSchema,
  sweepSampleOf,
  sweepVersion,
} from "../result/sweep.ts";
import { requireHost } from "../target/target.ts";
import { addCiOptions, type CiOutput, ciProblems, tellCi } from "./ci-output.ts";
import { withoutSecrets } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { NothingError } from "./nothing.ts";
import { checkTogether, UsageError } from "./option-schemas.ts";
import { act, interruptOnSignal } from "./outcome.ts";
import { createProgressLine } from "./progress.ts";
import { addSweepOptions, readSweepOptions, type SweepCommand } from "./sweep-options.ts";

/** The folder of sweeps without --out. */
const defaultFolder = "uws-echo-bench-results";
const planName = "plan.json";
const sweepName = "sweep.json";
/** Time of a measurement besides its load: starting the target, threads, connections, the last replies. */
const overheadMs = 700;

interface Raw extends CiOutput, Readonly<Record<string, unknown>> {
  readonly json?: boolean;
  readonly out?: string;
}

/** Adds `sweep URL|CMD` to the program. */
export function addSweepCommand(program: Command): void {
  const command = program
    .command("sweep")
    .summary("measure a grid of loads")
    .description(
      "measure every combination of connections, payload sizes, and depths or rates, in a random order, each with a fresh process " +
        "of a target that is a command; with --out, the same command resumes where it was stopped",
    )
    .argument(
      "<target>",
      "ws:// or wss:// URL, or a command that starts a target, with {port} in place of the port",
    );
  addCiOptions(
    addSweepOptions(command)
      .option("--json", "print only the Sweep, as one line of JSON, to standard output")
      .option(
        "-o, --out <folder>",
        `folder for the plan, a Result for each measurement, and the Sweep (default: a new one in ${defaultFolder}/)`,
      ),
  ).action((target: string, raw: Raw) =>
    act(command, () =>
      run(
        checkTogether(ciProblems(raw), () => readSweepOptions(target, raw)),
        raw,
      ),
    ),
  );
}

async function run(options: SweepCommand, raw: Raw): Promise<number> {
  const folder = raw.out ?? join(defaultFolder, `sweep-${new Date().toISOString().replace(/[-:]/g, "")}`);
  if (isUrl(options.target)) {
    await requireHost(options.target);
  }
  const plan = openPlan(folder, options, raw);
  const results = readResults(folder, plan);
  tellBeforehand(plan, results.size, folder);
  const interruption = interruptOnSignal();
  let line = createProgressLine(process.stderr);
  const say = (text: string): void => {
    line.end();
    line = createProgressLine(process.stderr);
    process.stderr.write(`${text}\n`);
  };
  const place = ({ file }: PlanEntry): string =>
    `${plan.entries.findIndex((entry) => entry.file === file) + 1}/${plan.entries.length}`;
  try {
    const ended = await sweep({
      entries: plan.entries,
      isDone: ({ file }) => results.has(file),
      measure: (entry) =>
        measureOnce({
          target: options.target,
          scenario: options.scenarioOf(entry, plan.seed),
          pid: options.pid,
          metricsUrl: options.metricsUrl,
          signal: interruption.signal,
          onProgress: (progress) => line.show(progress),
        }),
      keep: (entry, result) => {
        writeResult(join(folder, entry.file), result);
        results.set(entry.file, result);
        say(`${place(entry)}  ${describeSample(sweepSampleOf(entry, 1, result))}`);
      },
      onMissing: (entry, reason) => say(`${place(entry)}  ${entry.file}: ${reason}`),
      signal: interruption.signal,
    });
    line.end();
    const command = withoutSecrets(process.argv.slice(2));
    return tell(concludeSweep({ plan, results, command, ...ended }), folder, raw);
  } finally {
    line.end();
    interruption.end();
  }
}

/** The plan of the folder, created if missing. @throws UsageError if it belongs to another sweep */
function openPlan(folder: string, options: SweepCommand, raw: Raw): SweepPlan {
  const path = join(folder, planName);
  if (existsSync(path)) {
    const found = parseVersioned(path, readText(path), [
      { kind: sweepPlanKind, version: sweepVersion, schema: sweepPlanSchema },
    ]);
    const asked = planOf(options, raw["seed"] === undefined ? found.seed : Number(raw["seed"]));
    const problems = differencesOf(found, asked);
    if (problems.length > 0) {
      throw new UsageError(
        problems.map((problem) => `--out: ${path} is the plan of another sweep: ${problem}`),
      );
    }
    return found;
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError([`--out: ${folder} holds other files and no ${planName}: choose a new folder`]);
  }
  const plan = planOf(options, raw["seed"] === undefined ? randomSeed() : Number(raw["seed"]));
  writeOnce(path, `${JSON.stringify(sweepPlanSchema.parse(plan), null, 2)}\n`);
  return plan;
}

function planOf({ target, label, cells, repeats, scenarioOf }: SweepCommand, seed: number): SweepPlan {
  const [first] = cells;
  if (first === undefined) {
    throw new UsageError(["there is nothing to measure"]);
  }
  return {
    kind: sweepPlanKind,
    version: sweepVersion,
    label,
    startedAt: new Date().toISOString(),
    target,
    seed,
    scenario: recordScenario(scenarioOf(first, seed)),
    entries: planEntries(cells, repeats, seed),
  };
}

function differencesOf(found: SweepPlan, asked: SweepPlan): string[] {
  const filesOf = ({ entries }: SweepPlan): Set<string> => new Set(entries.map(({ file }) => file));
  const [before, now] = [filesOf(found), filesOf(asked)];
  const isSameGrid = before.size === now.size && [...now].every((file) => before.has(file));
  const facts = ({ target, label, scenario }: SweepPlan): Readonly<Record<string, unknown>> => ({
    target,
    label,
    ...scenario,
  });
  const there = facts(found);
  // The varied options differ by the grid.
  const varied = new Set(["connections", "payloadBytes", "payloadSha256", "depth", "ratePerSecond"]);
  const differences = Object.entries(facts(asked)).filter(
    ([name, value]) => !varied.has(name) && JSON.stringify(value) !== JSON.stringify(there[name]),
  );
  return [
    ...(isSameGrid
      ? []
      : [`its grid has ${before.size} measurements, this one ${now.size}, not all of them the same`]),
    ...differences.map(
      ([name, value]) => `${name} was ${JSON.stringify(there[name])} and is ${JSON.stringify(value)}`,
    ),
  ];
}

/** Existing Results, by their files. @throws StoreError if one is damaged */
function readResults(folder: string, { entries }: SweepPlan): Map<string, Result> {
  const found = entries.filter(({ file }) => existsSync(join(folder, file)));
  return new Map(found.map(({ file }) => [file, readResult(join(folder, file))]));
}

function tellBeforehand({ entries, scenario }: SweepPlan, done: number, folder: string): void {
  const { durationMs, warmupMs } = scenario;
  const left = entries.length - done;
  const there = done === 0 ? "" : `, ${done} of them there already`;
  process.stderr.write(
    `${entries.length} measurements of ${formatElapsed(durationMs)} after ${formatElapsed(warmupMs)}${there}: ` +
      `about ${formatElapsed(left * (durationMs + warmupMs + overheadMs))}; after Ctrl-C, the same command with --out ${folder} goes on\n`,
  );
}

/** Prints the Sweep and writes it to the folder, replacing that of an earlier start. @returns the exit code */
function tell(found: Sweep | undefined, folder: string, { json, ...output }: Raw): number {
  if (found === undefined) {
    throw new NothingError("no measurement was completed");
  }
  process.stdout.write(
    json === true ? `${JSON.stringify(found)}\n` : formatSweep(found, lookFor(process.stdout)),
  );
  const path = join(folder, sweepName);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(found, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
  process.stderr.write(`sweep: ${path}\n`);
  const isTold = tellCi(output, () => concludeSweepChecks("sweep", found));
  return found.failures.length > 0 || !isTold ? exitCodes.notAcceptable : exitCodes.good;
}
