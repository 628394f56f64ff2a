// `npm run bench:aa`: compares a server with itself again and again, and counts how often a difference is found that
// cannot be there.

import { Command } from "commander";
import { formatElapsed } from "../../src/lib/format.ts";
import { parseNumber } from "../../src/lib/units.ts";
import { tellProgress } from "../commands/compare-progress.ts";
import { exitCodes } from "../commands/exit-codes.ts";
import { duration, quantity, readFields, UsageError, whole } from "../commands/option-schemas.ts";
import { act, interruptOnSignal } from "../commands/outcome.ts";
import { compareArms } from "../measure/compare.ts";
import { describeFinding, formatRatios, knownFigures } from "../report/comparison/words.ts";
import { formatTable } from "../report/markdown-table.ts";
import type { Comparison } from "../result/comparison.ts";
import { TargetError } from "../target/target.ts";
import { closedLoads } from "./loads.ts";
import { addTimingOptions, judging, readTiming, type Timing } from "./options.ts";
import { bareServer, findPeers, pinApart } from "./servers.ts";

/** Maximum share of wrong findings. */
const allowedShare = 0.05;
/** The allowed share counts as exceeded if the number of wrong findings is less likely than this. */
const significance = 0.05;

const shape = {
  comparisons: quantity(parseNumber, whole(1, 1000)),
  deadline: duration(1000, 24 * 3_600_000),
};

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const command = new Command("bench:aa")
  .description("compares a bare uWebSockets.js server with itself, and counts differences that are found")
  .option("--comparisons <number>", "how many comparisons", "20")
  .option("--deadline <time>", "begin no comparison that would likely end after this time", "45m");
addTimingOptions(command).action((raw: Record<string, unknown>) =>
  act(command, () => {
    const { values, problems } = readFields(shape, raw);
    const { comparisons, deadline } = values;
    if (comparisons === undefined || deadline === undefined) {
      throw new UsageError(problems);
    }
    return compareAll(readTiming(raw), comparisons, deadline);
  }),
);
await command.parseAsync();

async function compareAll(timing: Timing, comparisons: number, deadlineMs: number): Promise<number> {
  const { signal, end } = interruptOnSignal();
  try {
    const done = await compareEach(timing, comparisons, deadlineMs, signal);
    return done.length === 0 ? exitCodes.nothing : conclude(done);
  } finally {
    end();
  }
}

/** Runs comparisons until the time is over. */
async function compareEach(
  timing: Timing,
  comparisons: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Comparison[]> {
  const bare = findPeers(pinApart(say), () => undefined).find(({ name }) => name === bareServer);
  const [load] = closedLoads(timing);
  if (bare === undefined || load === undefined) {
    throw new TargetError(`no server to measure: ${bareServer} is missing`);
  }
  const arms = ["A", "B"].map((name) => ({ name, target: bare.target }));
  const startedMs = performance.now();
  const done: Comparison[] = [];
  let longestMs = 0;
  while (done.length < comparisons && !signal.aborted) {
    const beginMs = performance.now();
    if (beginMs - startedMs + longestMs > deadlineMs) {
      say(`${formatElapsed(deadlineMs)} leave no time for another one`);
      break;
    }
    say(`\ncomparison ${done.length + 1} of ${comparisons}`);
    const progress = tellProgress({ arms, rounds: timing.rounds });
    const comparison = await compareArms({
      ...{ arms, scenario: load.scenario, signal, ...timing, ...judging, ...progress },
    });
    progress.end();
    if (comparison !== undefined && comparison.stop !== "interrupted") {
      done.push(comparison);
      longestMs = Math.max(longestMs, performance.now() - beginMs);
    }
  }
  return done;
}

/** Prints every comparison and the conclusion. @returns the exit code */
function conclude(done: readonly Comparison[]): number {
  const rows = done.map((comparison, index) => {
    const { figures, primary, margin } = comparison;
    return [
      String(index + 1),
      formatRatios(figures[primary]),
      describeFinding(figures[primary], margin, "B"),
      differencesOf(comparison).join(", "),
    ];
  });
  const wrong = done.filter(({ figures, primary }) => isDifference(figures[primary].finding)).length;
  const anywhere = done.filter((comparison) => differencesOf(comparison).length > 0).length;
  const probability = atLeast(wrong, done.length, allowedShare);
  process.stdout.write(
    `${formatTable(["comparison", "B / A (95 %)", "finding", "differences found in"], rows, 1)}\n\n` +
      `${wrong} of ${done.length} found a difference in the primary figure, ${anywhere} in any figure. ` +
      `With 5 % of wrong findings, that many or more are found with a probability of ${probability.toPrecision(2)}.\n`,
  );
  return probability < significance ? exitCodes.notAcceptable : exitCodes.good;
}

function differencesOf(comparison: Comparison): string[] {
  const { figures } = comparison;
  return knownFigures(comparison, figures).filter((figure) => isDifference(figures[figure].finding));
}

function isDifference(finding: Comparison["figures"]["p50"]["finding"]): boolean {
  return finding === "higher" || finding === "lower";
}

/** Probability of at least `count` of `total`, each with probability `share`. */
function atLeast(count: number, total: number, share: number): number {
  let term = (1 - share) ** total;
  let below = 0;
  for (let k = 0; k < count; k += 1) {
    below += term;
    term *= ((total - k) / (k + 1)) * (share / (1 - share));
  }
  return 1 - below;
}
