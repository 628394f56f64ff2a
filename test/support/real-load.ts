// Measurements of real sockets without worker threads: the generator runs in the test's own thread.

import type { Endpoint } from "../../bench/engine/connection.ts";
import { createRawEngine } from "../../bench/engine/raw.ts";
import { createWsEngine } from "../../bench/engine/ws.ts";
import { type PreciseClock, systemClock } from "../../bench/load/clock.ts";
import { Generator } from "../../bench/load/generator.ts";
import { startHttpGenerator } from "../../bench/load/http-generator.ts";
import type { StartThread } from "../../bench/load/threads.ts";
import { type MeasureOptions, measure, type Outcome } from "../../bench/measure/measure.ts";
import type { World } from "../../bench/measure/run.ts";
import type { WebSocketScenario } from "../../bench/measure/scenario.ts";
import type { Result } from "../../bench/result/schema.ts";
import { describeEnvironment } from "../../bench/target/environment.ts";
import { markMachine } from "../../bench/target/machine.ts";
import { locate } from "../../bench/target/target.ts";
import { exampleScenario } from "./virtual-world.ts";

/** To the millisecond: the thread of an AlarmClock takes seconds to start from source on a busy machine. */
const timerClock: PreciseClock = {
  ...systemClock,
  callAtNs: (atNs, callback) =>
    systemClock.callAfterMs(Math.max(0, Math.ceil((atNs - systemClock.nowNs()) / 1e6)), callback),
};

const startHere: StartThread = (plan, events) => {
  const generator = new Generator({
    plan,
    createEngine: ({ engine, endpoint, numbering }) =>
      (engine === "raw" ? createRawEngine : createWsEngine)(endpoint, numbering),
    clock: timerClock,
    report: (report) => events.onReport(structuredClone(report)),
    threadCpuNs: () => undefined,
  });
  setImmediate(() => generator.connect());
  return {
    send: (command) => (command.kind === "begin" ? generator.begin(command.startNs) : generator.stop()),
    terminate: () => Promise.resolve(),
  };
};

export const realThreads: World = {
  clock: systemClock,
  startThread: startHere,
  startHttp: (plan, { onReport: report }) =>
    startHttpGenerator(plan, { clock: systemClock, cpuNs: () => undefined, report }),
  markMachine,
  processUsage: () => ({
    waitedUs: null,
    cpuUs: process.cpuUsage().user,
    rssBytes: process.memoryUsage.rss(),
  }),
  now: () => new Date(),
  environment: describeEnvironment,
  locate,
};

/** A short closed loop on two connections against `url`, after the given changes. */
export function measureReal(
  url: string,
  changes: Partial<WebSocketScenario> = {},
  endpoint: Partial<Endpoint> = {},
  options: MeasureOptions = {},
): Promise<Outcome> {
  const example = exampleScenario({ connections: 2, warmupMs: 0, durationMs: 150, ...changes });
  const scenario = { ...example, endpoint: { ...example.endpoint, url, timeoutMs: 2000, ...endpoint } };
  return measure(scenario, { ...options, world: realThreads });
}

/** The Result of a measurement that must have one. */
export function resultOf(outcome: Outcome): Result {
  if (outcome.kind === "nothing") {
    throw new Error(`nothing was measured: ${outcome.reason} ${JSON.stringify(outcome.errors)}`);
  }
  return outcome.result;
}

/** The message of the only kind of error; throws unless there is exactly one kind. */
export function onlyError(outcome: Outcome): string {
  const errors = Object.entries(outcome.errors);
  if (errors.length !== 1) {
    throw new Error(`expected one kind of error, got ${JSON.stringify(outcome.errors)}`);
  }
  return errors.map(([kind, { detail }]) => `${kind}: ${detail}`).join("");
}
