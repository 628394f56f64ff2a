// Options for the shutdown.
import { duration } from "../option.ts";

const seconds = (milliseconds: number): number => milliseconds / 1000;

export const shutdown = {
  drainDelay: duration({
    group: "Shutdown",
    help: "after SIGTERM, how long /readyz answers 503 before the server stops listening",
    min: 0,
    max: 3_600_000,
    default: 0,
  }),
  drainSpread: duration({
    group: "Shutdown",
    help: "time over which connections are closed, each at a random moment; below --drain-timeout",
    min: 0,
    max: 3_600_000,
    default: 0,
  }),
  drainTimeout: duration({
    group: "Shutdown",
    help: "time for connections to end after the server stops listening; the rest is dropped",
    min: 100,
    max: 3_600_000,
    default: 10_000,
    limit: {
      name: "drain_timeout_seconds",
      help: "Time for connections to end during shutdown",
      value: seconds,
      outcome: "the remaining connections are dropped (1006)",
      countedBy: ['echo_connections_terminated_total{reason="forced"}'],
    },
  }),
};
