// Gauge, counter and histogram families, filled in bulk at each scrape. Only this file depends on how prom-client
// stores values.
import { Counter, Gauge, type Metric, type Registry } from "prom-client";
import type { Stats } from "./counters.ts";

/** One line of a family. */
export type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number];

/** The whole content of a histogram. */
export interface Distribution {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last counts the values above them all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

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

/**
 * A histogram with buckets that are counted elsewhere; prom-client's own observes one value at a time. It implements
 * the part of a metric that a registry uses.
 */
class BulkHistogram {
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly name: string;
  readonly help: string;
  readonly #read: () => (readonly [labels: Sample[0], Distribution])[];

  constructor(name: string, help: string, read: () => (readonly [labels: Sample[0], Distribution])[]) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const values = this.#read().flatMap(([labels, { bounds, counts, sum }]) => {
      let total = 0;
      const buckets = counts.map((count, i) => {
        total += count;
        return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? "+Inf", ...labels }, value: total };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: total },
      ];
    });
    return { name, help, type, aggregator, values };
  }
}
