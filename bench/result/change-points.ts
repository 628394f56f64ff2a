// Finds where a row of values changes its level.

/** Shorter stretches are outliers, not levels. */
export const shortestStretch = 3;
/** Improvement of the fit that another change point must bring, in variances times the logarithm of the length. */
const penalty = 4;

/**
 * Where each stretch of one level begins; the first at 0. Single outliers do not count.
 * @param values logarithms, where changes are relative
 */
export function findLevels(values: readonly number[]): number[] {
  return changePoints(withoutOutliers(values), noiseOf(values));
}

/** By optimal partitioning: least squares with a price for each stretch. */
function changePoints(values: readonly number[], noise: number): number[] {
  const n = values.length;
  const price = penalty * noise * Math.log(n);
  const sums = [0];
  const squares = [0];
  for (const value of values) {
    sums.push((sums.at(-1) ?? 0) + value);
    squares.push((squares.at(-1) ?? 0) + value * value);
  }
  const costOf = (from: number, until: number): number => {
    const sum = (sums[until] ?? 0) - (sums[from] ?? 0);
    return (squares[until] ?? 0) - (squares[from] ?? 0) - (sum * sum) / (until - from);
  };
  const best = [-price];
  const previous = [0];
  for (let until = 1; until <= n; until += 1) {
    best[until] = Number.POSITIVE_INFINITY;
    for (let from = 0; from <= until - shortestStretch; from += 1) {
      const cost = (best[from] ?? Number.POSITIVE_INFINITY) + costOf(from, until) + price;
      if (cost < (best[until] ?? 0)) {
        best[until] = cost;
        previous[until] = from;
      }
    }
  }
  const starts: number[] = [];
  for (let at = n; at > 0; at = previous[at] ?? 0) {
    starts.unshift(previous[at] ?? 0);
  }
  return starts;
}

/** Each value as the middle one of itself and its neighbours. */
function withoutOutliers(values: readonly number[]): number[] {
  return values.map((value, i) => {
    const three = [values[i - 1] ?? value, value, values[i + 1] ?? value].sort((a, b) => a - b);
    return three[1] ?? value;
  });
}

/** Variance of the values about their level, from neighbours, so that changes of level do not count. */
function noiseOf(values: readonly number[]): number {
  const steps = values.slice(1).map((value, i) => Math.abs(value - (values[i] ?? 0)));
  const median = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  // Of normal values, the median step is 0.954 standard deviations. Never 0: equal values are rounded ones.
  return Math.max(1e-6, (median / 0.954) ** 2);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
