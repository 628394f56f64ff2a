// A histogram for prom-client whose buckets are counted elsewhere.

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

/**
 * A histogram with buckets that are counted elsewhere; prom-client's own observes one value at a time. It implements
 * the part of a metric that a registry uses.
 */
export class BulkHistogram {
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
