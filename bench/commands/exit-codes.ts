// The exit codes of uws-echo-bench and their meanings.

export const exitCodes = { good: 0, notAcceptable: 1, usage: 2, nothing: 3 } as const;

/** Each exit code with its meaning, as the help and the reference show them. */
export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.good, "good"],
  [
    exitCodes.notAcceptable,
    "measured, but not acceptable: messages lost, errors, a threshold missed, or the run was cut short",
  ],
  [exitCodes.usage, "wrong usage: nothing was started"],
  [exitCodes.nothing, "nothing was measured"],
];
