// The metrics as two registries, one for each format. Loaded at the first scrape: prom-client is a third of what a start
// would load, and a worker never needs it.
import { Gauge, type Registry } from "prom-client";
import {
  type BuildInfo,
  createRegistry,
  type Format,
  type LimitGauge,
  type MetricsSource,
} from "./registry.ts";

/** What the previous scrape cost. */
export interface LastScrape {
  readonly seconds: number;
  readonly bytes: number;
}

export type Pages = Readonly<Record<Format, Registry>>;

export function createPages(
  source: MetricsSource,
  limits: readonly LimitGauge[],
  build: BuildInfo,
  last: LastScrape,
): Pages {
  function createPage(format: Format): Registry {
    const registry = createRegistry(format, source, limits, build);
    const registers = [registry];
    new Gauge({
      name: "echo_scrape_duration_seconds",
      help: "Time that the previous scrape took to render",
      registers,
      collect() {
        this.set(last.seconds);
      },
    });
    new Gauge({
      name: "echo_scrape_size_bytes",
      help: "Size of the previous scrape, uncompressed",
      registers,
      collect() {
        this.set(last.bytes);
      },
    });
    return registry;
  }
  return { text: createPage("text"), openmetrics: createPage("openmetrics") };
}
