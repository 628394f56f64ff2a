// The command `search`: finds the largest load that a target holds, by trials.

import type { Command } from "commander";
import { formatElapsed } from "../../src/lib/format.ts";
import { isUrl } from "../measure/once.ts";
import { recordScenario } from "../measure/scenario.ts";
import { type Found, type Purpose, search } from "../measure/search.ts";
import { scenarioAt, TargetRig } from "../measure/trials.ts";
import { concludeSearch } from "../report/checks/search.ts";
import { formatSearch } from "../report/search/text.ts";
import { describeInversions, describeTrial, failuresOf } from "../report/search/words.ts";
import {
  type Rule,
  type Search,
  searchKind,
  searchSchema,
  searchVersion,
  type Trial,
} from "../result/search.ts";
import { describeEnvironment } from "../target/environment.ts";
import { requireHost } from "../target/target.ts";
import { tellConcluded } from "./document.ts";
import { NothingError } from "./nothing.ts";
import { checkTogether } from "./option-schemas.ts";
import { act, addOutputOptions, interruptOnSignal, type OutputOptions, outputProblems } from "./outcome.ts";
import { createProgressLine } from "./progress.ts";
import { addSearchOptions, readSearchOptions, type SearchCommand, saturationMs } from "./search-options.ts";

/** The smallest rate to try, as a share of the one that the search starts from. */
const leastShare = 0.01;
/** The first step from the start: small for a rate, because a saturated target gives a good guess. */
const firstStep = { rate: 0.04, connections: Math.LN2, depth: Math.LN2 } as const;

/** Adds `search URL|CMD` to the program. */
export function addSearchCommand(program: Command): void {
  const command = program
    .command("search")
    .summary("find the largest load at which objectives hold")
    .description(
      "find the largest load at which service-level objectives hold, by short trials (MLRsearch). " +
        "The search starts from --rate, --connections or --depth, a search over the rate without --rate from what a closed loop reaches",
    )
    .argument(
      "<target>",
      "ws:// or wss:// URL, or a command that starts a target, with {port} in place of the port",
    );
  addOutputOptions(addSearchOptions(command), "Search").action(
    (target: string, raw: OutputOptions & Readonly<Record<string, unknown>>) =>
      act(command, () => {
        const given = (name: string): boolean => command.getOptionValueSource(name) === "cli";
        return run(
          checkTogether(outputProblems(raw), () => readSearchOptions(target, raw, given)),
          raw,
        );
      }),
  );
}

async function run(options: SearchCommand, output: OutputOptions): Promise<number> {
  const { values, target } = options;
  if (isUrl(target)) {
    await requireHost(target);
  }
  const startedAt = new Date();
  const beganMs = performance.now();
  const endMs = beganMs + values.deadline;
  const interruption = interruptOnSignal();
  const progress = tellTrials(options);
  const rig = new TargetRig({
    ...options,
    slos: values.slo,
    signal: AbortSignal.any([interruption.signal, AbortSignal.timeout(values.deadline)]),
    onProgress: progress.onProgress,
  });
  try {
    const saturated = options.startLoad === undefined ? await rig.saturate(saturationMs) : null;
    if (saturated === undefined) {
      throw new NothingError("interrupted while the target was saturated", "searched");
    }
    const start = options.startLoad ?? saturated ?? 1;
    const rule = ruleOf(options, start);
    const found = await search(
      {
        slos: values.slo.map(({ expression }) => expression),
        rule,
        start: { load: start, step: Math.max(2 * rule.width, firstStep[options.over]) },
        settleMs: options.settleMs,
        confirmMs: values.confirm,
        endMs,
        onTrial: progress.onTrial,
      },
      rig,
    );
    progress.end();
    if (found.trials.length === 0) {
      throw new NothingError("it ended during the first trial", "searched");
    }
    const document = recordSearch(options, { found, rule, start, saturated, startedAt, beganMs });
    return tellConcluded({
      document,
      schema: searchSchema,
      text: formatSearch,
      output,
      conclude: concludeSearch,
    });
  } finally {
    progress.end();
    interruption.end();
    await rig.close();
  }
}

function ruleOf({ values, over, trialMs, min, max }: SearchCommand, start: number): Rule {
  return {
    trialMs,
    sumMs: values.durationSum,
    exceedRatio: values.exceedRatio,
    width: values.width,
    isWhole: over !== "rate",
    min: Math.min(min ?? leastShare * start, max),
    max,
  };
}

interface Ran {
  readonly found: Found;
  readonly rule: Rule;
  readonly start: number;
  readonly saturated: number | null;
  readonly startedAt: Date;
  readonly beganMs: number;
}

function recordSearch(
  options: SearchCommand,
  { found, rule, start, saturated, startedAt, beganMs }: Ran,
): Search {
  const search = {
    kind: searchKind,
    version: searchVersion,
    label: options.scenario.label,
    startedAt: startedAt.toISOString(),
    seconds: (performance.now() - beganMs) / 1000,
    target: options.target,
    over: options.over,
    ratePerConnection: options.ratePerConnection ?? null,
    scenario: recordScenario(scenarioAt(options, start)),
    rule,
    saturationPerSecond: saturated,
    stop: found.stop,
    goals: found.goals,
    trials: found.trials,
    confirm: found.confirm,
    latencies: found.latencies,
    environment: describeEnvironment(),
    command: null,
  } as const;
  return { ...search, failures: failuresOf(search), warnings: describeInversions(search) };
}

/** Prints the expected duration, and then each trial: a live line while it runs, and a permanent one. */
function tellTrials({ values, settleMs, trialMs, over }: SearchCommand) {
  process.stderr.write(
    `trials of ${formatElapsed(trialMs)} after ${formatElapsed(settleMs)}; at most ${formatElapsed(values.deadline)} in all (--deadline)\n`,
  );
  let live = createProgressLine(process.stderr);
  const purposes: Readonly<Record<Purpose, string>> = {
    search: "",
    confirm: "confirming: ",
    latency: "latency: ",
  };
  return {
    onProgress: (progress: Parameters<typeof live.show>[0]): void => live.show(progress),
    onTrial: (trial: Trial, purpose: Purpose): void => {
      live.end();
      live = createProgressLine(process.stderr);
      const slos = values.slo.map(({ expression }) => expression);
      process.stderr.write(`${purposes[purpose]}${describeTrial(trial, over, slos)}\n`);
    },
    end: (): void => live.end(),
  };
}
