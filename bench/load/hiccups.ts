// Measures how late a 1 ms timer fires in this thread. A closed loop has no schedule to be late against; this shows
// whether the generator itself was held up.

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Hiccups } from "./plan.ts";

const periodNs = 1e6;

export interface HiccupMeter {
  /** Counts from here on. */
  start(): void;
  /** What was counted; undefined when that was nothing. */
  stop(): Hiccups | undefined;
}

/** Node's own monitor: its timer is native, so watching costs no JavaScript. */
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
