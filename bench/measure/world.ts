// The environment of measurements outside of tests.

import { systemClock } from "../load/clock.ts";
import { startHttpThread, startWorkerThread } from "../load/threads.ts";
import { describeEnvironment } from "../target/environment.ts";
import { markMachine } from "../target/machine.ts";
import { readTasks } from "../target/proc.ts";
import { locate } from "../target/target.ts";
import type { World } from "./run.ts";

/** The real machine. */
export const realWorld: World = {
  clock: systemClock,
  startThread: startWorkerThread,
  startHttp: startHttpThread,
  processUsage: () => {
    const { user, system } = process.cpuUsage();
    const waitedUs = readTasks("self").reduce((sum, { waitedNs }) => sum + waitedNs / 1000, 0);
    return { cpuUs: user + system, waitedUs, rssBytes: process.memoryUsage.rss() };
  },
  now: () => new Date(),
  markMachine,
  environment: describeEnvironment,
  locate,
};
