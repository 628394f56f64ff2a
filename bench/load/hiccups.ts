// Measures the delay of a 1 ms timer in this thread, which shows whether the generator itself was held up: a closed loop
// has no schedule to compare with.

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Hiccups } from "./plan.ts";

const periodNs = 1e6;

export interface HiccupMeter {
  /** Counts from here on. */
  start(): void;
  /** The delays since `start`; undefined if there are none. */
  stop(): Hiccups | undefined;
}

/** Uses Node's own monitor, whose timer is native and runs no JavaScript. */
export function createHiccupMeter(): HiccupMeter {
  const monitor = monitorEventLoopDelay({ resolution: periodNs / 1e6 });
  return {
    start() {
      monitor.enable();
      monitor.reset();
    },
    stop() {
      monitor.disable();
      const late = (valueNs: number): number => Math.max(0, valueNs - periodNs);
      return monitor.count === 0
        ? undefined
        : {
            p50Ns: late(monitor.percentile(50)),
            p99Ns: late(monitor.percentile(99)),
            maxNs: late(monitor.max),
          };
    },
  };
}
