// The thread of one generator: receives the plan and sends reports.

import { parentPort, workerData } from "node:worker_threads";
import type { Engine } from "../engine/connection.ts";
import { createRawEngine } from "../engine/raw.ts";
import { createWsEngine } from "../engine/ws.ts";
import { AlarmClock } from "./alarm.ts";
import { Generator } from "./generator.ts";
import { createHiccupMeter } from "./hiccups.ts";
import type { GroupPlan, Plan } from "./plan.ts";
import { threadCpuNs } from "./thread-cpu.ts";

/** A command of the main thread to a worker. */
export type Command = { readonly kind: "begin"; readonly startNs: number } | { readonly kind: "stop" };

/** The engine that a group asks for. */
export function createEngine({ engine, endpoint, numbering }: GroupPlan): Engine {
  return (engine === "raw" ? createRawEngine : createWsEngine)(endpoint, numbering);
}

function main(): void {
  const port = parentPort;
  if (port === null) {
    throw new Error("this file runs as a worker thread only");
  }
  const plan: Plan = workerData;
  const generator = new Generator({
    plan,
    createEngine,
    clock: new AlarmClock(),
    report: (report) => port.postMessage(report),
    threadCpuNs,
    hiccups: createHiccupMeter(),
  });
  port.on("message", (command: Command) => {
    if (command.kind === "begin") {
      generator.begin(command.startNs);
    } else {
      generator.stop();
    }
  });
  generator.connect();
}

main();
