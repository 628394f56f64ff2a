// Concludes from the samples of a comparison: ratios with intervals, findings, the control. Pure.
// All calculations use logarithms: ratios become differences, B against A is exactly the inverse of A against B, and
// slow changes cancel out in the difference of two processes within a round (docs/decisions/0024).

import {
  type Contrast,
  type Contrasts,
  type Control,
  type Controls,
  type FigureName,
  type Finding,
  figureNames,
  figuresOf,
  type Sample,
} from "./comparison.ts";
import {
  average,
  detectable,
  type Estimate,
  holm,
  meanDifference,
  meanOf,
  neededCount,
  signedRankInterval,
  tInterval,
  tProbability,
} from "./interval.ts";
import { percentile, spread } from "./stats.ts";

/** Minimum of rounds for ranks. */
const ranksFromRounds = 10;
/** Minimum of values for outlier fences. */
const fencesFromValues = 8;
/** Tukey's outer fences, in interquartile ranges. The inner ones (1.5) flag one in ten of few values. */
const fenceReach = 3;
const significance = 0.05;

export interface ContrastOptions {
  readonly samples: readonly Sample[];
  /** Index of the arm that is compared with the first. */
  readonly arm: number;
  /** Whether samples of a round belong together. */
  readonly isPaired: boolean;
  /** Share of a negligible difference. */
  readonly margin: number;
  readonly primary: FigureName;
}

/** Compares every figure of one arm with the first arm. */
export function contrast(options: ContrastOptions): Contrasts {
  const raw = figureNames.map((figure) => ({ figure, ...contrastOf(options, figure) }));
  const others = raw.filter(({ figure, probability }) => figure !== options.primary && probability !== null);
  const adjusted = holm(others.map(({ probability }) => probability ?? 1));
  others.forEach((entry, index) => {
    entry.probability = adjusted[index] ?? 1;
    const isDirected = entry.finding === "higher" || entry.finding === "lower";
    if (isDirected && entry.probability > significance) {
      entry.finding = "undecided";
    }
  });
  return byFigure(raw.map(({ figure, ...entry }) => [figure, entry]));
}

/** Compares one figure, without correction for the others. */
export function contrastOf(options: Omit<ContrastOptions, "primary">, figure: FigureName): Contrast {
  const { samples, arm, isPaired, margin } = options;
  const both = samples.filter((sample) => sample.arm === 0 || sample.arm === arm);
  const unknown = both.filter((sample) => knownOf(sample, figure) === undefined).length;
  const [baseline, value] = [0, arm].map((side) => figuresOf(samples, figure, side)) as [number[], number[]];
  const common = {
    missing: unknown,
    baseline: baseline.length > 0 ? spread(baseline) : null,
    value: value.length > 0 ? spread(value) : null,
    outliers: [0, arm].flatMap((side) => outliersOf(samples, figure, side)),
  };
  return {
    ...(isPaired
      ? pairedContrast(samples, figure, arm, margin)
      : apartContrast(samples, figure, arm, margin)),
    ...common,
  };
}

/** Compares each arm with itself. */
export function control(samples: readonly Sample[], arm: number): Controls {
  return byFigure(figureNames.map((figure) => [figure, controlOf(samples, figure, arm)]));
}

type Inference = Omit<Contrast, "missing" | "baseline" | "value" | "outliers">;

const unknownInference: Inference = {
  ratio: null,
  low: null,
  high: null,
  finding: "undecided",
  beyondMargin: false,
  probability: null,
  rank: null,
  detectable: null,
  roundsNeeded: null,
  rounds: 0,
};

function pairedContrast(
  samples: readonly Sample[],
  figure: FigureName,
  arm: number,
  margin: number,
): Inference {
  const rounds = roundsOf(samples, figure, arm);
  const differences = rounds.map(({ baseline, value }) => average(value) - average(baseline));
  const mean = meanOf(differences);
  if (mean === undefined) {
    return { ...unknownInference, ratio: ratioOf(differences), rounds: rounds.length };
  }
  const ranks = rounds.length >= ranksFromRounds ? signedRankInterval(differences) : undefined;
  // The mean of two processes per arm halves the variance of each arm, so the sum is the variance of one process.
  const variance = processVariance(rounds);
  return {
    ...inferenceOf(tInterval(mean), margin),
    probability: tProbability(mean),
    rank: ranks === undefined ? null : asRatios(ranks),
    detectable: Math.exp(detectable(variance, rounds.length)),
    roundsNeeded: neededCount(variance, Math.log1p(margin)) ?? null,
    rounds: rounds.length,
  };
}

/** Without rounds: two groups of measurements, made at different times. */
function apartContrast(
  samples: readonly Sample[],
  figure: FigureName,
  arm: number,
  margin: number,
): Inference {
  const [baseline, value] = [0, arm].map((side) =>
    samples.flatMap((sample) => (sample.arm === side ? (knownOf(sample, figure) ?? []) : [])),
  ) as [number[], number[]];
  const rounds = Math.min(baseline.length, value.length);
  const difference = meanDifference(baseline, value);
  if (difference === undefined) {
    return {
      ...unknownInference,
      ratio: rounds === 0 ? null : Math.exp(average(value) - average(baseline)),
      rounds,
    };
  }
  const variance = difference.standardError ** 2 * rounds;
  return {
    ...inferenceOf(tInterval(difference), margin),
    probability: tProbability(difference),
    rank: null,
    detectable: Math.exp(detectable(variance, rounds)),
    roundsNeeded: neededCount(variance, Math.log1p(margin)) ?? null,
    rounds,
  };
}

function inferenceOf(
  estimate: Estimate,
  margin: number,
): Pick<Inference, "ratio" | "low" | "high" | "finding" | "beyondMargin"> {
  const reach = Math.log1p(margin);
  return {
    ...asRatios(estimate),
    finding: findingOf(estimate, reach),
    beyondMargin: estimate.low > reach || estimate.high < -reach,
  };
}

function findingOf({ low, high }: Pick<Estimate, "low" | "high">, reach: number): Finding {
  if (low > -reach && high < reach) {
    return "equivalent";
  }
  if (low > 0) {
    return "higher";
  }
  return high < 0 ? "lower" : "undecided";
}

/** The finding by ranks alone; undefined without ranks. */
export function rankFinding({ rank }: Contrast, margin: number): Finding | undefined {
  return rank === null
    ? undefined
    : findingOf({ low: Math.log(rank.low), high: Math.log(rank.high) }, Math.log1p(margin));
}

function controlOf(samples: readonly Sample[], figure: FigureName, arm: number): Control {
  const rounds = roundsOf(samples, figure, arm);
  const differences = rounds.map(({ baseline, value }) => average([baseline, value].map(([a, b]) => b - a)));
  const mean = meanOf(differences);
  const noise = rounds.length === 0 ? null : Math.expm1(Math.sqrt(processVariance(rounds)));
  if (mean === undefined) {
    return { ratio: ratioOf(differences), low: null, high: null, holds: null, noise };
  }
  const estimate = tInterval(mean);
  return { ...asRatios(estimate), holds: estimate.low <= 0 && estimate.high >= 0, noise };
}

/** Logarithms of both processes of both arms. */
interface Round {
  readonly baseline: readonly [number, number];
  readonly value: readonly [number, number];
}

/** The rounds in which all four measurements have the figure. */
function roundsOf(samples: readonly Sample[], figure: FigureName, arm: number): Round[] {
  const known = new Map<string, number>();
  for (const sample of samples) {
    const value = knownOf(sample, figure);
    if (value !== undefined) {
      known.set(`${sample.round} ${sample.arm} ${sample.process}`, value);
    }
  }
  const numbers = [...new Set(samples.map(({ round }) => round))].sort((a, b) => a - b);
  return numbers.flatMap((round) => {
    const [a1, a2, b1, b2] = [`0 1`, `0 2`, `${arm} 1`, `${arm} 2`].map((key) =>
      known.get(`${round} ${key}`),
    );
    return a1 === undefined || a2 === undefined || b1 === undefined || b2 === undefined
      ? []
      : [{ baseline: [a1, a2], value: [b1, b2] }];
  });
}

/** The logarithm of a figure; undefined for 0 and null. */
function knownOf({ figures }: Sample, figure: FigureName): number | undefined {
  const value = figures[figure];
  return value == null || value <= 0 ? undefined : Math.log(value);
}

/** The variance of one process around its arm, from pairs that differ by noise alone. */
function processVariance(rounds: readonly Round[]): number {
  const pairs = rounds.flatMap(({ baseline, value }) => [baseline, value]);
  return average(pairs.map(([first, second]) => (second - first) ** 2)) / 2;
}

function outliersOf(samples: readonly Sample[], figure: FigureName, arm: number): Contrast["outliers"] {
  const known = samples.flatMap((sample) => {
    const value = sample.arm === arm ? knownOf(sample, figure) : undefined;
    return value === undefined ? [] : [{ sample, value }];
  });
  if (known.length < fencesFromValues) {
    return [];
  }
  const values = known.map(({ value }) => value);
  const [low, high] = [percentile(values, 25), percentile(values, 75)];
  const reach = fenceReach * (high - low);
  return known
    .filter(({ value }) => value < low - reach || value > high + reach)
    .map(({ sample: { round, process }, value }) => ({ round, arm, process, value: Math.exp(value) }));
}

function asRatios({ center, low, high }: Estimate): { ratio: number; low: number; high: number } {
  return { ratio: Math.exp(center), low: Math.exp(low), high: Math.exp(high) };
}

function ratioOf(differences: readonly number[]): number | null {
  return differences.length === 0 ? null : Math.exp(average(differences));
}

function byFigure<T>(entries: readonly (readonly [FigureName, T])[]): Record<FigureName, T> {
  return Object.fromEntries(entries) as Record<FigureName, T>;
}
