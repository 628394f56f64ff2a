// Runs the server as one process, which answers scrapes from its own counters.

import type { Config } from "../config/options.ts";
import { packageVersion } from "../lib/package.ts";
import { slot } from "../metrics/counters.ts";
import { limitGauges } from "../metrics/limit-gauges.ts";
import { RuntimeMonitor } from "../metrics/process-sampler.ts";
import { createMetrics, type Metrics } from "../metrics/scrape.ts";
import { type Serving, serve } from "../server/server.ts";
import { servedUrls } from "../server/urls.ts";
import { droppedLogLines, type Log } from "../system/log.ts";
import type { Running } from "./running.ts";

/** @throws ListenError, NativeLoadError */
export async function runSingle(
  config: Config,
  log: Log,
): Promise<Running & Pick<Serving, "port"> & Pick<Metrics, "samples">> {
  const build = { version: packageVersion(), nodeVersion: process.versions.node };
  const limits = limitGauges(config);
  const runtime = new RuntimeMonitor();
  let metrics: Metrics | undefined;
  const serving = await serve(config, {
    worker: 1,
    isOneOfMany: false,
    log,
    createScraper(stats, sample) {
      metrics = createMetrics(
        {
          stats() {
            stats[slot.logLinesDropped] = droppedLogLines();
            stats[slot.workersReady] = 1;
            return stats;
          },
          samples: () => [sample()],
          workerRestarts: () => 0,
          runtime,
        },
        limits,
        build,
      );
      return metrics.scrape;
    },
  }).catch((error: unknown) => {
    runtime.stop();
    throw error;
  });
  return {
    ...serving,
    stop: () => serving.stop().finally(() => runtime.stop()),
    samples: async () => (await metrics?.samples()) ?? {},
    urls: servedUrls(config, serving.port, serving.adminPort),
    failure: new Promise<never>(() => undefined),
  };
}
