// Handles signals from the first line of the program on.

/** The target of signals. */
export interface SignalTarget {
  /** Drains and ends. */
  stop(signal: NodeJS.Signals): void;
  /** Ends at once. */
  force(signal: NodeJS.Signals): void;
  reload(signal: NodeJS.Signals): void;
  /** Called for a signal that does nothing. */
  ignore(signal: NodeJS.Signals): void;
}

export interface Signals {
  /** Sets the target of signals. */
  direct(target: SignalTarget): void;
}

/**
 * Installs handlers for the signals that would otherwise end the process without a drain, or open Node's inspector
 * (SIGUSR1).
 * @param endEarly ends the process on a signal before the server runs
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
  // With a terminal, SIGHUP means that it was closed; else it means to reload, as for other daemons.
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
