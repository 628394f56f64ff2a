// The thread of one HTTP load: receives its plan and sends reports, so that autocannon delays no other generator.

import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "./clock.ts";
import { startHttpGenerator } from "./http-generator.ts";
import type { HttpPlan } from "./plan.ts";
import { threadCpuNs } from "./thread-cpu.ts";
import type { Command } from "./worker.ts";

function main(): void {
  const port = parentPort;
  if (port === null) {
    throw new Error("this file runs as a worker thread only");
  }
  const plan: HttpPlan = workerData;
  const generator = startHttpGenerator(plan, {
    clock: systemClock,
    cpuNs: threadCpuNs,
    report: (report) => port.postMessage(report),
  });
  port.on("message", (command: Command) => generator.send(command));
}

main();
