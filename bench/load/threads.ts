// Starts generators as worker threads.

import type { Report } from "./plan.ts";
import { openThread } from "./thread-file.ts";
import type { Command, WorkerTask } from "./worker.ts";

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
export type StartThread = (task: WorkerTask, events: ThreadEvents) => GeneratorThread;

/** Starts a generator in a worker thread of this process. */
export const startWorkerThread: StartThread = (task, events) => {
  const worker = openThread("worker", task);
  worker.on("message", events.onReport);
  worker.on("error", events.onCrash);
  return {
    send: (command) => worker.postMessage(command),
    terminate: async () => {
      await worker.terminate();
    },
  };
};
