// Parses the Prometheus text format 0.0.4, and formats sample names.

/** One sample line. */
export interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** All samples of a page by metric name, in the order of the page. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelPattern = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;

/** Parses a whole page and skips comments. Throws an error that quotes the first invalid line. */
export function parseMetricsText(page: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const [index, line] of page.split("\n").entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) {
      continue;
    }
    const parsed = parseSample(text);
    if (parsed === undefined) {
      throw new Error(`Line ${index + 1} is not in the Prometheus text format: ${text.slice(0, 80)}`);
    }
    const [name, sample] = parsed;
    const known = samples.get(name);
    if (known === undefined) {
      samples.set(name, [sample]);
    } else {
      known.push(sample);
    }
  }
  return samples;
}

/** The sum of all samples of a metric with the given labels; undefined when there is none. */
export function sumOf(
  samples: Samples,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const wanted = Object.entries(labels);
  const matching = (samples.get(name) ?? []).filter((sample) =>
    wanted.every(([label, value]) => sample.labels.get(label) === value),
  );
  return matching.length === 0 ? undefined : matching.reduce((sum, sample) => sum + sample.value, 0);
}

/** A sample as the text format names it: `up`, or `http_requests_total{code="200"}`. */
export function sampleName(name: string, labels: Iterable<readonly [string, string]>): string {
  const list = [...labels].map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return list.length === 0 ? name : `${name}{${list.join(",")}}`;
}

/** Every sample by its `sampleName`. */
export function samplesByName(samples: Samples): Record<string, number> {
  const entries = [...samples].flatMap(([name, list]) =>
    list.map(({ labels, value }) => [sampleName(name, labels), value] as const),
  );
  return Object.fromEntries(entries);
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}

function parseSample(line: string): [string, Sample] | undefined {
  const name = namePattern.exec(line)?.[0];
  if (name === undefined) {
    return undefined;
  }
  const labels = new Map<string, string>();
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    const end = parseLabels(rest, labels);
    if (end === undefined) {
      return undefined;
    }
    rest = rest.slice(end);
  }
  const [value, timestamp, ...more] = rest.trim().split(/\s+/);
  if (value === undefined || more.length > 0 || (timestamp !== undefined && !/^-?\d+$/.test(timestamp))) {
    return undefined;
  }
  const parsed = parseValue(value);
  return parsed === undefined ? undefined : [name, { labels, value: parsed }];
}

/** Fills `labels` from `{a="b",...}` at the start of the text; returns the index after it. */
function parseLabels(text: string, labels: Map<string, string>): number | undefined {
  labelPattern.lastIndex = 1;
  let end = 1;
  for (let match = labelPattern.exec(text); match !== null; match = labelPattern.exec(text)) {
    labels.set(match[1] ?? "", unescapeLabel(match[2] ?? ""));
    end = labelPattern.lastIndex;
  }
  const closing = /^\s*\}/.exec(text.slice(end));
  return closing === null ? undefined : end + closing[0].length;
}

function unescapeLabel(value: string): string {
  return value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

// The format allows what Go's ParseFloat accepts, in any case; prom-client writes "Nan".
function parseValue(text: string): number | undefined {
  if (/^nan$/i.test(text)) {
    return Number.NaN;
  }
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity !== null) {
    return infinity[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
}
