// Chooses the load of the next trial. Pure: it sees only the trials so far, so a search can be repeated and simulated.

import { classOf, edgesOf, isNarrow, type Weighed, weigh } from "../result/bounds.ts";
import type { Rule, Trial } from "../result/search.ts";

/** Where a search begins. */
export interface Start {
  readonly load: number;
  /** The first step away from it, as a logarithm: small where `load` is a good guess. */
  readonly step: number;
}

/** A step at most doubles the load. */
const largestStep = Math.LN2;
/** Each step out is this many times the one before. */
const expansion = 2;
/** Loads are rounded to numbers that read well, off by at most this part of the width. */
const roundingShare = 0.1;

/**
 * Steps out with one trial per load until one load holds and another fails, then
 * bisects. The two loads next to the edge get more trials until they are decided; a result that they overturn is
 * searched again.
 * @returns undefined if the goal is reached or unreachable
 */
export function nextLoad(
  trials: readonly Trial[],
  goal: number,
  rule: Rule,
  start: Start,
): number | undefined {
  const weighed = weigh(trials, goal);
  if (weighed.length === 0) {
    return clamp(roundLoad(start.load, rule), rule);
  }
  const { lower, ceiling } = edgesOf(weighed, rule, rule.trialMs);
  if (ceiling !== undefined && ceiling.trials === 1 && classOf(ceiling, rule, rule.trialMs) === "unfit") {
    return ceiling.load; // Repeats the inconclusive trial: the generator may have been late only once.
  }
  if (lower !== undefined && ceiling !== undefined) {
    return isNarrow(lower.load, ceiling.load, rule)
      ? leastKnown([ceiling, lower], rule)
      : middleOf(lower.load, ceiling.load, rule);
  }
  if (lower !== undefined) {
    return lower.load >= rule.max ? leastKnown([lower], rule) : stepUp(weighed, lower.load, rule, start);
  }
  if (ceiling !== undefined) {
    return ceiling.load <= rule.min
      ? leastKnown([ceiling], rule)
      : stepDown(weighed, ceiling.load, rule, start);
  }
  return undefined;
}

/** The undecided load with the fewest trials. */
function leastKnown(candidates: readonly Weighed[], rule: Rule): number | undefined {
  return candidates
    .filter((each) => classOf(each, rule, rule.sumMs) === "open")
    .toSorted((a, b) => a.trials - b.trials)[0]?.load;
}

function stepUp(weighed: readonly Weighed[], from: number, rule: Rule, start: Start): number {
  const before = weighed.findLast(({ load }) => load < from)?.load;
  const load = from * Math.exp(stepAfter(before === undefined ? 0 : Math.log(from / before), start));
  return clamp(Math.max(roundLoad(load, rule), rule.isWhole ? from + 1 : from), rule);
}

function stepDown(weighed: readonly Weighed[], from: number, rule: Rule, start: Start): number {
  const before = weighed.find(({ load }) => load > from)?.load;
  const load = from / Math.exp(stepAfter(before === undefined ? 0 : Math.log(before / from), start));
  return clamp(Math.min(roundLoad(load, rule), rule.isWhole ? from - 1 : from), rule);
}

function stepAfter(before: number, { step }: Start): number {
  return Math.min(Math.max(expansion * before, step), largestStep);
}

/** The geometric mean, rounded, and always different from both. */
function middleOf(lower: number, upper: number, rule: Rule): number {
  const middle = Math.sqrt(lower * upper);
  const rounded = roundLoad(middle, rule);
  return rounded > lower && rounded < upper ? rounded : rule.isWhole ? lower + 1 : middle;
}

function clamp(load: number, { min, max }: Rule): number {
  return Math.min(Math.max(load, min), max);
}

function roundLoad(load: number, { isWhole, width }: Rule): number {
  if (isWhole) {
    return Math.round(load);
  }
  const unit = 10 ** Math.floor(Math.log10(load * width * roundingShare));
  // A unit below 1 divides exactly only by its inverse: 3 * 0.1 is not 0.3.
  return unit < 1
    ? Math.round(load * Math.round(1 / unit)) / Math.round(1 / unit)
    : Math.round(load / unit) * unit;
}
