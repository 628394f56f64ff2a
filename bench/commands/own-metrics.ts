// The options that let Prometheus scrape a generator while it runs.

import type { Command } from "commander";
import { z } from "zod";
import { parseNumber } from "../../src/lib/units.ts";
import type { OnInterval } from "../load/crew.ts";
import { type MetricsAddress, MetricsPage } from "../measure/metrics-page.ts";
import { quantity, type ValuesOf, whole } from "./option-schemas.ts";

export const ownMetricsShape = {
  metricsPort: quantity(parseNumber, whole(0, 65_535)).optional(),
  metricsHost: z.string().regex(/^[\w.:-]+$/, "must be an address or a host name"),
};

/** Adds `--metrics-port` and `--metrics-host`. */
export function addOwnMetricsOptions(command: Command): Command {
  return command
    .option(
      "--metrics-port <port>",
      "serve this program's own Prometheus metrics at /metrics, and /readyz: 200 once connected (0: a free port)",
    )
    .option("--metrics-host <address>", "address of --metrics-port; 0.0.0.0 for all", "127.0.0.1");
}

/** @returns undefined when no page is asked for */
export function metricsAddress({
  metricsHost: host,
  metricsPort: port,
}: Partial<ValuesOf<typeof ownMetricsShape>>): MetricsAddress | undefined {
  return port === undefined || host === undefined ? undefined : { host, port };
}

interface OwnMetrics {
  readonly onInterval: OnInterval | undefined;
  /** To be called when all connections are open. */
  readonly onReady: (() => void) | undefined;
  readonly close: () => void;
}

/**
 * Serves the page while a measurement runs, and says where.
 * @param groups names of the groups of connections, in order
 * @throws MetricsPageError if the port cannot be opened
 */
export async function serveOwnMetrics(
  address: MetricsAddress | undefined,
  groups: readonly string[],
): Promise<OwnMetrics> {
  if (address === undefined) {
    return { onInterval: undefined, onReady: undefined, close: () => undefined };
  }
  const page = new MetricsPage(groups);
  process.stderr.write(`Metrics: ${await page.listen(address)}\n`);
  return {
    onInterval: (thread, report) => page.add(thread, report),
    onReady: () => page.setReady(),
    close: () => page.close(),
  };
}
