// Starts generators as worker threads.

import type { HttpPlan, Plan, Report } from "./plan.ts";
import { openThread } from "./thread-file.ts";
import type { Command } from "./worker.ts";

/** A generator in another thread. */
export interface GeneratorThread {
  send(command: Command): void;
  /** Ends it at once. */
  terminate(): Promise<void>;
}

export interface ThreadEvents {
  onReport(report: Report): void;
  /** The thread itself failed, which is a fault of the harness. */
  onCrash(error: Error): void;
}

/** Starts one generator. */
export type StartGenerator = (events: ThreadEvents) => GeneratorThread;

/** Starts a generator of WebSocket messages. */
export type StartThread = (plan: Plan, events: ThreadEvents) => GeneratorThread;

/** Starts a generator of HTTP requests. */
export type StartHttp = (plan: HttpPlan, events: ThreadEvents) => GeneratorThread;

/** Starts a generator in a worker thread of this process. */
export const startWorkerThread: StartThread = (plan, events) => startFile("worker", plan, events);

/** Starts a generator of HTTP requests in a worker thread of this process. */
export const startHttpThread: StartHttp = (plan, events) => startFile("http-worker", plan, events);

function startFile(name: string, plan: Plan | HttpPlan, events: ThreadEvents): GeneratorThread {
  const worker = openThread(name, plan);
  worker.on("message", events.onReport);
  worker.on("error", events.onCrash);
  return {
    send: (command) => worker.postMessage(command),
    terminate: async () => {
      await worker.terminate();
    },
  };
}
