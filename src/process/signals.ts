// What the command does on each signal, from its first line on.

/** What signals act on. */
export interface SignalTarget {
  /** Ends in order. */
  stop(signal: NodeJS.Signals): void;
  /** Ends at once. */
  force(signal: NodeJS.Signals): void;
  reload(signal: NodeJS.Signals): void;
  /** Called for a signal that does nothing. */
  ignore(signal: NodeJS.Signals): void;
}

export interface Signals {
  /** From now on signals act on this. */
  direct(target: SignalTarget): void;
}

/**
 * Takes every signal that would otherwise end the process without a drain, or open Node's inspector (SIGUSR1).
 * @param endEarly ends the process: a signal came before anything is served
 */
export function takeSignals(endEarly: () => void): Signals {
  let target: SignalTarget | undefined;
  let isStopping = false;

  function stop(signal: NodeJS.Signals): void {
    if (target === undefined) {
      endEarly();
    } else if (isStopping) {
      target.force(signal);
    } else {
      isStopping = true;
      target.stop(signal);
    }
  }
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    process.on(signal, stop);
  }
  // From a terminal that was closed it means the end; otherwise, by custom, reading files again.
  process.on("SIGHUP", (signal) => (process.stdout.isTTY ? stop(signal) : target?.reload(signal)));
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) {
    process.on(signal, () => target?.ignore(signal));
  }
  return {
    direct(given) {
      target = given;
    },
  };
}
