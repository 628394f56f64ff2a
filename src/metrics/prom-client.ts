// Gauge, counter and histogram families, filled in bulk at each scrape. Only this file depends on how prom-client
// stores values.
import { Counter, Gauge, type Metric, type Registry } from "prom-client";
import { BulkHistogram, type Distribution, type Sample } from "../lib/bulk-histogram.ts";
import type { Stats } from "./counters.ts";

/** Defines families in one registry; `read` is called with fresh stats at each scrape. */
export class Families {
  readonly #registers: Registry[];
  readonly #stats: () => Stats;

  constructor(registry: Registry, stats: () => Stats) {
    this.#registers = [registry];
    this.#stats = stats;
  }

  gauge(name: string, help: string, read: (stats: Stats) => number): void {
    this.gaugeBy([], name, help, (stats) => [[{}, read(stats)]]);
  }

  counter(name: string, help: string, read: (stats: Stats) => number): void {
    this.counterBy([], name, help, (stats) => [[{}, read(stats)]]);
  }

  gaugeBy(labelNames: readonly string[], name: string, help: string, read: (stats: Stats) => Sample[]): void {
    const stats = this.#stats;
    new Gauge({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read(stats())) {
          this.set(labels, value);
        }
      },
    });
  }

  counterBy(
    labelNames: readonly string[],
    name: string,
    help: string,
    read: (stats: Stats) => Sample[],
  ): void {
    const stats = this.#stats;
    new Counter({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [labels, value] of read(stats())) {
          this.inc(labels, value);
        }
      },
    });
  }

  histogram(name: string, help: string, read: (stats: Stats) => Distribution): void {
    this.histogramBy(name, help, (stats) => [[{}, read(stats)]]);
  }

  histogramBy(
    name: string,
    help: string,
    read: (stats: Stats) => (readonly [labels: Sample[0], Distribution])[],
  ): void {
    const histogram = new BulkHistogram(name, help, () => read(this.#stats()));
    for (const registry of this.#registers) {
      registry.registerMetric(histogram as unknown as Metric);
    }
  }
}
