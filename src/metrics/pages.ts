// Renders the metrics from two registries, one for each format. Loaded at the first scrape: prom-client would be a third
// of the code loaded at start, and a worker never needs it.
import { Gauge, type Registry } from "prom-client";
import {
  type BuildInfo,
  createRegistry,
  type Format,
  type LimitGauge,
  type MetricsSource,
} from "./registry.ts";

/** Cost of the previous scrape. */
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
      help: "Time to render the previous scrape",
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
