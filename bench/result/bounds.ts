// Classifies loads by their trials, after MLRsearch (draft-ietf-bmwg-mlrsearch): which loads hold, which fail, and the bounds between them.

import type { Goal, Inversion, Rule, SearchStop, Trial, TrialCause } from "./search.ts";

/** All trials of one load, by one goal. Times are in milliseconds. */
export interface Weighed {
  readonly load: number;
  readonly trials: number;
  readonly bad: number;
  readonly goodMs: number;
  readonly badMs: number;
  /** Of trials that failed while the generator was not fit. */
  readonly unfitMs: number;
}

/**
 * `lower`: bad time can no longer exceed its share. `upper`: it has. `unfit`: unknown, because of the generator.
 * `open`: more trials are needed.
 */
export type LoadClass = "lower" | "upper" | "unfit" | "open";

/** The largest load that holds below the smallest one that does not. */
export interface Edges {
  readonly lower: Weighed | undefined;
  readonly ceiling: Weighed | undefined;
}

/** The trials of each load, in ascending order of loads. */
export function weigh(trials: readonly Trial[], goal: number): Weighed[] {
  const loads = [...new Set(trials.map(({ load }) => load))].sort((a, b) => a - b);
  return loads.map((load) => {
    const own = trials.filter((trial) => trial.load === load);
    const spentMs = (state: string): number =>
      own.reduce(
        (sum, { durationMs, outcomes }) => (outcomes[goal]?.state === state ? sum + durationMs : sum),
        0,
      );
    return {
      load,
      trials: own.length,
      bad: own.filter(({ outcomes }) => outcomes[goal]?.state === "bad").length,
      goodMs: spentMs("good"),
      badMs: spentMs("bad"),
      unfitMs: spentMs("unfit"),
    };
  });
}

/** @param sumMs time of trials that decides; that of one trial gives a first impression */
export function classOf(
  { goodMs, badMs, unfitMs }: Weighed,
  { exceedRatio }: Pick<Rule, "exceedRatio">,
  sumMs: number,
): LoadClass {
  const spentMs = goodMs + badMs + unfitMs;
  const wholeMs = Math.max(sumMs, spentMs);
  const allowedMs = exceedRatio * wholeMs;
  if (badMs > allowedMs) {
    return "upper";
  }
  if (wholeMs - goodMs <= allowedMs) {
    return "lower";
  }
  return unfitMs > allowedMs || spentMs >= sumMs ? "unfit" : "open";
}

/** The bounds, from the loads that are decided. */
export function edgesOf(weighed: readonly Weighed[], rule: Rule, sumMs: number): Edges {
  const classes = weighed.map((each) => classOf(each, rule, sumMs));
  const at = classes.findIndex((each) => each === "upper" || each === "unfit");
  const end = at === -1 ? weighed.length : at;
  const below = weighed.filter((_, index) => index < end && classes[index] === "lower");
  return { lower: below.at(-1), ceiling: weighed[end] };
}

/** The conclusion for a goal when the search has ended. */
export function concludeGoal(
  slo: string,
  goal: number,
  trials: readonly Trial[],
  rule: Rule,
  stop: SearchStop,
): Goal {
  const weighed = weigh(trials, goal);
  const { lower, ceiling } = edgesOf(weighed, rule, rule.sumMs);
  const isFailed = ceiling !== undefined && classOf(ceiling, rule, rule.sumMs) === "upper";
  const common = {
    slo,
    lower: lower?.load ?? null,
    upper: isFailed ? ceiling.load : null,
    conditional: lower === undefined ? null : conditionalOf(trials, lower.load, rule.exceedRatio),
    inversions: inversionsOf(weighed, rule),
  };
  if (
    lower !== undefined &&
    (ceiling === undefined ? lower.load >= rule.max : isNarrow(lower.load, ceiling.load, rule))
  ) {
    return ceiling !== undefined && isFailed
      ? { ...common, verdict: "found", limitedBy: causeAt(trials, goal, ceiling.load) }
      : { ...common, verdict: "at-least", limitedBy: ceiling === undefined ? "max" : "generator" };
  }
  if (lower === undefined && ceiling !== undefined && ceiling.load <= rule.min) {
    return isFailed
      ? { ...common, verdict: "below-min", limitedBy: causeAt(trials, goal, ceiling.load) }
      : { ...common, verdict: "below-min", limitedBy: "generator" };
  }
  return { ...common, verdict: "deadline", limitedBy: stop === "complete" ? "deadline" : stop };
}

/** Whether two loads are as close as was asked. */
export function isNarrow(lower: number, upper: number, { width, isWhole }: Rule): boolean {
  // A load that was rounded to be within the width must not miss it by the last bit.
  return upper <= lower * (1 + width) * (1 + 1e-9) || (isWhole && upper - lower <= 1);
}

/** The most frequent failure at a load. */
function causeAt(trials: readonly Trial[], goal: number, load: number): TrialCause | null {
  const causes = trials
    .filter((trial) => trial.load === load)
    .flatMap(({ outcomes }) => (outcomes[goal]?.state === "bad" ? (outcomes[goal].cause ?? []) : []));
  const timesOf = (cause: TrialCause): number => causes.filter((each) => each === cause).length;
  return causes.toSorted((a, b) => timesOf(b) - timesOf(a))[0] ?? null;
}

/** The rate below which no more than the exceed ratio of the trials' time falls. */
function conditionalOf(trials: readonly Trial[], load: number, exceedRatio: number): number | null {
  const rates = trials
    .filter((trial) => trial.load === load)
    .flatMap(({ messagesPerSecond, durationMs }) =>
      messagesPerSecond === null ? [] : [{ messagesPerSecond, durationMs }],
    )
    .sort((a, b) => a.messagesPerSecond - b.messagesPerSecond);
  const wholeMs = rates.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let passedMs = 0;
  return (
    rates.find(({ durationMs }) => {
      passedMs += durationMs;
      return passedMs > exceedRatio * wholeMs;
    })?.messagesPerSecond ?? null
  );
}

/** Loads with failed trials below a larger one that held. */
function inversionsOf(weighed: readonly Weighed[], rule: Rule): Inversion[] {
  const held = weighed.findLast(({ goodMs, badMs, unfitMs }) => goodMs > badMs + unfitMs);
  const bounds = new Map(weighed.map((each) => [each.load, classOf(each, rule, rule.sumMs)]));
  const heldBound = weighed.findLast(({ load }) => bounds.get(load) === "lower");
  return weighed
    .filter(({ load, bad }) => held !== undefined && bad > 0 && load < held.load)
    .map(({ load, trials, bad }) => ({
      load,
      trials,
      bad,
      heldAt: held?.load ?? load,
      isBound: bounds.get(load) === "upper" && heldBound !== undefined && heldBound.load > load,
    }));
}
