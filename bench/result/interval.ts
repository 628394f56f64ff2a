// Estimates from few values, with intervals: Student's t, Welch, and Wilcoxon's signed ranks. Pure; the values here are
// logarithms of ratios, but nothing depends on it.

import jstat from "jstat";

/** An estimate, and the interval that covers the true value with the confidence below. */
export interface Estimate {
  readonly center: number;
  readonly low: number;
  readonly high: number;
}

/** Confidence of every interval, two-sided. */
export const confidence = 0.95;
/** Probability of finding an effect, for plans. */
export const power = 0.8;

const upperTail = (1 + confidence) / 2;
/** From this number of values on, the signed-rank distribution is approximated as normal, to three digits. */
const manyValues = 100;
/** The 97.5 % quantile of the standard normal distribution. */
const normalQuantile = 1.959963984540054;

/** A mean with its standard error, for Student's distribution. */
interface Mean {
  readonly mean: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

/** The mean of differences; undefined for fewer than two. */
export function meanOf(differences: readonly number[]): Mean | undefined {
  const count = differences.length;
  return count < 2
    ? undefined
    : {
        mean: average(differences),
        standardError: Math.sqrt(variance(differences) / count),
        degreesOfFreedom: count - 1,
      };
}

/** The mean of `values` minus that of `baseline`, by Welch; undefined with fewer than two on a side. */
export function meanDifference(baseline: readonly number[], values: readonly number[]): Mean | undefined {
  if (baseline.length < 2 || values.length < 2) {
    return undefined;
  }
  const mean = average(values) - average(baseline);
  const [a, b] = [baseline, values].map((side) => variance(side) / side.length) as [number, number];
  const degreesOfFreedom = (a + b) ** 2 / (a ** 2 / (baseline.length - 1) + b ** 2 / (values.length - 1));
  // Without spread, the degrees of freedom are undefined and not needed.
  return { mean, standardError: Math.sqrt(a + b), degreesOfFreedom: a + b === 0 ? 1 : degreesOfFreedom };
}

/** The t interval of a mean. */
export function tInterval({ mean, standardError, degreesOfFreedom }: Mean): Estimate {
  const reach = jstat.studentt.inv(upperTail, degreesOfFreedom) * standardError;
  return { center: mean, low: mean - reach, high: mean + reach };
}

/** Two-sided probability of a mean at least this far from 0, if the true mean is 0. */
export function tProbability({ mean, standardError, degreesOfFreedom }: Mean): number {
  if (standardError === 0) {
    return mean === 0 ? 1 : 0;
  }
  return 2 * jstat.studentt.cdf(-Math.abs(mean) / standardError, degreesOfFreedom);
}

/**
 * The Hodges-Lehmann estimate with the interval of Wilcoxon's signed-rank test: the median of all pairwise means, and
 * those of them that the test does not reject. One outlier affects neither much. Undefined for fewer than six values,
 * for which no interval has this confidence.
 */
export function signedRankInterval(values: readonly number[]): Estimate | undefined {
  const outside = signedRankCritical(values.length);
  if (outside === undefined) {
    return undefined;
  }
  const means = Float64Array.from(
    values.flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2)),
  ).sort();
  const last = means.length - 1;
  const middle = (at(means, Math.floor(last / 2)) + at(means, Math.ceil(last / 2))) / 2;
  return { center: middle, low: at(means, outside - 1), high: at(means, last - outside + 1) };
}

/** The sums of positive ranks, from 0, that the test rejects on each side; undefined when it rejects none. */
function signedRankCritical(count: number): number | undefined {
  const sums = (count * (count + 1)) / 2;
  if (count > manyValues) {
    const deviation = Math.sqrt((sums * (2 * count + 1)) / 12);
    return Math.round(sums / 2 - normalQuantile * deviation);
  }
  // The number of the 2^count sign patterns whose positive ranks add up to each sum.
  const ways = new Float64Array(sums + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= count; rank += 1) {
    for (let sum = sums; sum >= rank; sum -= 1) {
      ways[sum] = (ways[sum] ?? 0) + (ways[sum - rank] ?? 0);
    }
  }
  const allowed = (1 - upperTail) * 2 ** count;
  let below = 0;
  let critical = 0;
  while (below + (ways[critical] ?? 0) <= allowed) {
    below += ways[critical] ?? 0;
    critical += 1;
  }
  return critical === 0 ? undefined : critical;
}

/**
 * The smallest true mean that `count` differences of this variance detect with the power above.
 * @param count at least 2
 */
export function detectable(differenceVariance: number, count: number): number {
  const { inv } = jstat.studentt;
  return (inv(upperTail, count - 1) + inv(power, count - 1)) * Math.sqrt(differenceVariance / count);
}

/**
 * The number of differences of this variance that detect a true mean of `effect` with the power above.
 * @param effect above 0
 * @returns 2 at least; undefined beyond a million
 */
export function neededCount(differenceVariance: number, effect: number): number | undefined {
  // The normal distribution gives the order of magnitude; Student's needs a few more.
  let count = Math.max(2, Math.floor((7.85 * differenceVariance) / effect ** 2));
  while (count <= 1e6 && detectable(differenceVariance, count) > effect) {
    count += 1;
  }
  return count > 1e6 ? undefined : count;
}

/** Adjusts probabilities for multiple tests (Holm), so that 0.05 applies to all of them together. */
export function holm(probabilities: readonly number[]): number[] {
  const order = probabilities
    .map((_, index) => index)
    .sort((a, b) => at(probabilities, a) - at(probabilities, b));
  const adjusted = probabilities.map(() => 1);
  let highest = 0;
  order.forEach((index, place) => {
    highest = Math.max(highest, Math.min(1, at(probabilities, index) * (probabilities.length - place)));
    adjusted[index] = highest;
  });
  return adjusted;
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample variance; NaN for fewer than two values. */
function variance(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN;
}
