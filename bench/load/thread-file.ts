// Starts one of this folder's files as a worker thread, compiled or as source.

import { Worker } from "node:worker_threads";

const isCompiled = import.meta.url.endsWith(".js");

/** @param name file in this folder, without its extension */
export function openThread(name: string, workerData: unknown): Worker {
  if (isCompiled) {
    return new Worker(new URL(`./${name}.js`, import.meta.url), { workerData });
  }
  // In development the sources run as they are, but Node 20 does not pass tsx on to worker threads.
  const source = JSON.stringify(new URL(`./${name}.ts`, import.meta.url).href);
  const loader = `import("tsx/esm/api").then((tsx) => {
    tsx.register();
    return import(${source});
  })`;
  return new Worker(loader, { eval: true, workerData });
}
