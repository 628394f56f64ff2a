// The exit codes of uws-echo and their meanings.

export const exitCodes = { good: 0, failed: 1, usage: 2 } as const;

/** Each exit code with its meaning, as the manual page and the reference show them. */
export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.good, "stopped by a signal; for health: the server is alive"],
  [
    exitCodes.failed,
    "failed to start or to continue: port in use or privileged, native binary does not load, workers keep dying; for health: not alive",
  ],
  [exitCodes.usage, "wrong usage: nothing was started; every problem is reported, one per line"],
];
