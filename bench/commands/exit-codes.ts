// The exit codes of uws-echo-bench and their meanings.

export const exitCodes = { good: 0, notAcceptable: 1, usage: 2, nothing: 3, crashed: 4 } as const;

/** Each exit code with its meaning, as the help and the reference show them. */
export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.good, "good"],
  [exitCodes.notAcceptable, "measured, with losses, errors, a failed check or threshold, or cut short"],
  [exitCodes.usage, "wrong usage: nothing was started"],
  [exitCodes.nothing, "nothing was measured"],
  [exitCodes.crashed, "uws-echo-bench itself failed"],
];
