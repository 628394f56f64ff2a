// The server as one process: what it counts is all there is.

import type { Config } from "../config/options.ts";
import { slot } from "../metrics/counters.ts";
import { limitGauges } from "../metrics/limit-gauges.ts";
import { RuntimeMonitor } from "../metrics/process-sampler.ts";
import { createScraper } from "../metrics/scrape.ts";
import { type Serving, serve } from "../server/server.ts";
import { servedUrls } from "../server/urls.ts";
import { droppedLogLines, type Log } from "../system/log.ts";
import { packageVersion } from "../system/package.ts";
import type { Running } from "./running.ts";

/** @throws ListenError, NativeLoadError */
export async function runSingle(
  config: Config,
  log: Log,
): Promise<Running & Pick<Serving, "port" | "scrape">> {
  const build = { version: packageVersion(), nodeVersion: process.versions.node };
  const limits = limitGauges(config);
  const runtime = new RuntimeMonitor();
  const serving = await serve(config, {
    worker: 1,
    isOneOfMany: false,
    log,
    createScraper: (stats, sample) =>
      createScraper(
        {
          stats() {
            stats[slot.logLinesDropped] = droppedLogLines();
            return stats;
          },
          samples: () => [sample()],
          workerRestarts: () => 0,
          runtime,
        },
        limits,
        build,
      ),
  }).catch((error: unknown) => {
    runtime.stop();
    throw error;
  });
  return {
    ...serving,
    stop: () => serving.stop().finally(() => runtime.stop()),
    urls: servedUrls(config, serving.port, serving.adminPort),
    failure: new Promise<never>(() => undefined),
  };
}
