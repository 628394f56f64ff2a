// Searches for the largest load at which each goal holds, confirms it, and measures latencies below it.

import { concludeGoal } from "../result/bounds.ts";
import type { Rule, Search, SearchStop, Trial, TrialOutcome } from "../result/search.ts";
import { nextLoad, type Start } from "./next-load.ts";

/** Runs trials: on a target, or simulated. */
export interface Rig {
  /** Undefined if interrupted or out of time. */
  trial(load: number, durationMs: number): Promise<Trial | undefined>;
  nowMs(): number;
}

export interface SearchOptions {
  /** As typed. */
  readonly slos: readonly string[];
  readonly rule: Rule;
  readonly start: Start;
  /** Settling time before each trial, not measured. */
  readonly settleMs: number;
  /** Duration of the confirming trials; 0 skips them and the latencies. */
  readonly confirmMs: number;
  /** Deadline on the rig's clock: no trial begins that would likely end later. */
  readonly endMs: number;
  readonly onTrial?: (trial: Trial, purpose: Purpose) => void;
}

export type Purpose = "search" | "confirm" | "latency";

export type Found = Pick<Search, "goals" | "trials" | "confirm" | "latencies" | "stop">;

/** Shares of the result at which latencies are measured. */
const latencyShares = [0.1, 0.5, 0.9] as const;
/** Consecutive trials without a measurement after which the target counts as gone. */
const nothingInRow = 3;
/** Consecutive trials with an overloaded generator after which this machine counts as too busy. */
const unfitInRow = 12;
/** Initial estimate of a trial's overhead: threads, connections, the last replies. */
const firstOverheadMs = 500;

/** Estimates the duration of the part after the search. */
export function afterwardsMs({
  slos,
  rule,
  settleMs,
  confirmMs,
}: Pick<SearchOptions, "slos" | "settleMs" | "confirmMs"> & {
  readonly rule: Pick<Rule, "trialMs">;
}): number {
  const onceMs = settleMs + firstOverheadMs;
  return confirmMs === 0
    ? 0
    : slos.length * (confirmMs + onceMs) + latencyShares.length * (rule.trialMs + onceMs);
}

/** Runs the whole search. Rejects only if the rig does. */
export async function search(options: SearchOptions, rig: Rig): Promise<Found> {
  const { slos, rule, start, endMs } = options;
  const trials: Trial[] = [];
  const schedule = new Schedule(options, rig);
  const untilMs = endMs - afterwardsMs(options);
  let stop: SearchStop = "complete";
  for (let load = firstLoad(); load !== undefined && stop === "complete"; load = firstLoad()) {
    const trial = await schedule.run(load, rule.trialMs, "search", untilMs);
    if (typeof trial === "string") {
      stop = trial;
      break;
    }
    trials.push(trial);
    stop = stopAfter(trials);
  }
  const goals = slos.map((slo, goal) => concludeGoal(slo, goal, trials, rule, stop));
  const found: Found = { goals, trials, confirm: [], latencies: [], stop };
  return stop === "interrupted" || stop === "target-gone" || options.confirmMs === 0
    ? found
    : await measureAfterwards(found, options, schedule);

  /** The next load of the first goal that needs one: goals share all trials. */
  function firstLoad(): number | undefined {
    for (let goal = 0; goal < slos.length; goal += 1) {
      const load = nextLoad(trials, goal, rule, start);
      if (load !== undefined) {
        return load;
      }
    }
    return undefined;
  }
}

/** Confirms each result once, and measures the latencies below the first one, as far as the time allows. */
async function measureAfterwards(found: Found, options: SearchOptions, schedule: Schedule): Promise<Found> {
  const { endMs, confirmMs, rule } = options;
  const confirm: Found["confirm"] = [];
  const latencies: Found["latencies"] = [];
  for (const [goal, { lower }] of found.goals.entries()) {
    const same = confirm.find(({ trial }) => trial.load === lower);
    const trial =
      lower === null ? undefined : (same?.trial ?? (await schedule.run(lower, confirmMs, "confirm", endMs)));
    if (typeof trial === "string") {
      return { ...found, confirm, latencies, stop: trial };
    }
    if (trial !== undefined) {
      confirm.push({ goal, trial });
    }
  }
  const lower = found.goals.find((goal) => goal.lower !== null)?.lower ?? null;
  for (const share of lower === null ? [] : latencyShares) {
    const load = rule.isWhole ? Math.max(1, Math.round(share * (lower ?? 1))) : share * (lower ?? 1);
    const trial = await schedule.run(load, rule.trialMs, "latency", endMs);
    if (typeof trial === "string") {
      return { ...found, confirm, latencies, stop: trial };
    }
    latencies.push({ share, trial });
  }
  return { ...found, confirm, latencies };
}

/** Returns why the search stopped. */
function stopAfter(trials: readonly Trial[]): SearchStop {
  const areAll = (count: number, holds: (outcome: TrialOutcome) => boolean): boolean =>
    trials.length >= count && trials.slice(-count).every(({ outcomes }) => outcomes.every(holds));
  if (areAll(nothingInRow, ({ cause }) => cause === "nothing")) {
    return "target-gone";
  }
  return areAll(unfitInRow, ({ state }) => state === "unfit") ? "generator" : "complete";
}

/** Runs trials while there is time for them. */
class Schedule {
  readonly #options: SearchOptions;
  readonly #rig: Rig;
  /** The largest overhead of a trial so far. */
  #overheadMs = firstOverheadMs;

  constructor(options: SearchOptions, rig: Rig) {
    this.#options = options;
    this.#rig = rig;
  }

  async run(
    load: number,
    durationMs: number,
    purpose: Purpose,
    untilMs: number,
  ): Promise<Trial | "deadline" | "interrupted"> {
    const { settleMs, onTrial } = this.#options;
    const beginMs = this.#rig.nowMs();
    if (beginMs + settleMs + durationMs + this.#overheadMs > untilMs) {
      return "deadline";
    }
    const trial = await this.#rig.trial(load, durationMs);
    if (trial === undefined) {
      return this.#rig.nowMs() >= this.#options.endMs ? "deadline" : "interrupted";
    }
    this.#overheadMs = Math.max(this.#overheadMs, this.#rig.nowMs() - beginMs - settleMs - durationMs);
    onTrial?.(trial, purpose);
    return trial;
  }
}
