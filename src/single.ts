// The server as one process: what it counts is all there is.
import { limitGauges } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Config } from "./options.ts";
import { packageVersion } from "./package.ts";
import type { Running } from "./running.ts";
import { createScraper } from "./scrape.ts";
import { type Serving, serve } from "./serving.ts";
import { servedUrls } from "./urls.ts";

/** @throws ListenError, NativeLoadError */
export async function runSingle(
  config: Config,
  log: Log,
): Promise<Running & Pick<Serving, "port" | "scrape">> {
  const build = { version: packageVersion(), nodeVersion: process.versions.node };
  const limits = limitGauges(config);
  const serving = await serve(config, {
    worker: 1,
    isOneOfMany: false,
    log,
    createScraper: (stats, vitals) =>
      createScraper({ stats: () => stats, vitals: () => [vitals()], workerRestarts: () => 0 }, limits, build),
  });
  return {
    ...serving,
    urls: servedUrls(config, serving.port, serving.adminPort),
    failure: new Promise<never>(() => undefined),
  };
}
