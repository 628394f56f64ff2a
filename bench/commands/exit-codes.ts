// Owns what the exit codes of uws-echo-bench mean.

export const exitCodes = {
  good: 0,
  /** Measured, but not acceptable: messages lost, errors, a threshold that does not hold, a run cut short. */
  notAcceptable: 1,
  /** Wrong usage: nothing was started. */
  usage: 2,
  /** Nothing was measured. */
  nothing: 3,
} as const;
