// Owns starting generators as worker threads. Must not know what they are told or what they report.

import { Worker } from "node:worker_threads";
import type { Report } from "./plan.ts";
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

const isCompiled = import.meta.url.endsWith(".js");

/** In development the sources run as they are, but Node 20 does not pass tsx on to worker threads. */
const sourceLoader = `import("tsx/esm/api").then((tsx) => {
  tsx.register();
  return import(${JSON.stringify(new URL("./worker.ts", import.meta.url).href)});
})`;

/** Starts a generator in a worker thread of this process. */
export const startWorkerThread: StartThread = (task, events) => {
  const worker = isCompiled
    ? new Worker(new URL("./worker.js", import.meta.url), { workerData: task })
    : new Worker(sourceLoader, { eval: true, workerData: task });
  worker.on("message", events.onReport);
  worker.on("error", events.onCrash);
  return {
    send: (command) => worker.postMessage(command),
    terminate: async () => {
      await worker.terminate();
    },
  };
};
