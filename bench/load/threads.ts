// Starts generators as worker threads.

import type { Plan, Report } from "./plan.ts";
import { openThread } from "./thread-file.ts";
import type { Command } from "./worker.ts";

/** A generator that runs elsewhere. */
export interface GeneratorThread {
  send(command: Command): void;
  /** Ends it without another word. */
  terminate(): Promise<void>;
}

export interface ThreadEvents {
  onReport(report: Report): void;
  /** The thread itself broke: our fault, not the target's. */
  onCrash(error: Error): void;
}

/** Starts one generator, whatever makes its load. */
export type StartGenerator = (events: ThreadEvents) => GeneratorThread;

/** Starts a generator of WebSocket messages. */
export type StartThread = (plan: Plan, events: ThreadEvents) => GeneratorThread;

/** Starts a generator in a worker thread of this process. */
export const startWorkerThread: StartThread = (plan, events) => {
  const worker = openThread("worker", plan);
  worker.on("message", events.onReport);
  worker.on("error", events.onCrash);
  return {
    send: (command) => worker.postMessage(command),
    terminate: async () => {
      await worker.terminate();
    },
  };
};
