// docs/reference/metrics.md: every metric, its labels and its buckets, as a scrape of a server at rest shows them.

import { resolveConfig } from "../../src/config/resolve.ts";
import { createStats } from "../../src/metrics/counters.ts";
import { limitGauges } from "../../src/metrics/limit-gauges.ts";
import { RuntimeMonitor } from "../../src/metrics/process-sampler.ts";
import { createMetrics } from "../../src/metrics/scrape.ts";
import { code, generated, plain, table } from "./markdown.ts";

const introduction = `
What \`GET /metrics\` answers. Each value of a label is there from the start, with 0. Byte counts are of payloads: without frame
headers, and before compression. In OpenMetrics the declared name of a counter lacks its \`_total\`; the samples have it in both
formats. [How to scrape, and what to ask](../operating.md#metrics).
`;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** Values of each label, without \`le\`. */
  readonly labels: Map<string, Set<string>>;
  /** Upper bounds of a histogram's buckets. */
  readonly bounds: string[];
}

export async function metricsReference(): Promise<string> {
  const families = await readFamilies();
  const own = families.filter(({ name }) => name.startsWith("echo_"));
  const limits = own.filter(({ name }) => name.startsWith("echo_limit_"));
  const others = own.filter((family) => !limits.includes(family));
  const histograms = own.filter(({ bounds }) => bounds.length > 0);
  const runtime = families.filter((family) => !own.includes(family));
  return [
    generated("Metrics", "src/metrics"),
    introduction,
    `\n## The server\n\n${familyTable(others)}`,
    "\n## Limits in force\n\nGauges of the [options](options.md) that are limits.\n\n",
    familyTable(limits),
    "\n## Values of labels\n\n",
    labelTable(others),
    "\n## Buckets\n\n",
    table(
      ["Histogram", "Upper bounds"],
      histograms.map(({ name, bounds }) => [code(name), bounds.join(", ")]),
    ),
    "\n## The process\n\nAbout the process that answers: with `--workers`, the supervisor. The names are those that dashboards for Node.js ",
    "expect. The lag is the delay of a timer that fires 20 times a second, its interval left out. On Linux.\n\n",
    table(
      ["Name", "Type", "Meaning"],
      runtime.map(({ name, type, help }) => [code(name), type, plain(help)]),
    ),
  ].join("");
}

function familyTable(families: readonly Family[]): string {
  return table(
    ["Name", "Type", "Labels", "Meaning"],
    families.map(({ name, type, labels, help }) => [
      code(name),
      type,
      [...labels.keys()].map(code).join(", "),
      plain(help),
    ]),
  );
}

// Labels whose values depend on the build or the number of workers.
const openLabels: Readonly<Record<string, string>> = {
  version: "the version of uws-echo",
  node_version: "the version of Node.js",
  worker: "1 to `--workers`",
};

function labelTable(families: readonly Family[]): string {
  const rows = new Map<string, string[]>();
  for (const { name, labels } of families) {
    for (const [label, values] of labels) {
      const key = `${code(label)} | ${openLabels[label] ?? [...values].join(", ")}`;
      rows.set(key, [...(rows.get(key) ?? []), code(name)]);
    }
  }
  return table(
    ["Label", "Values", "Of"],
    [...rows].map(([key, names]) => [...key.split(" | "), names.join(", ")]),
  );
}

/** What a scrape of a server at rest declares, in its order. */
async function readFamilies(): Promise<Family[]> {
  const stats = createStats();
  const runtime = new RuntimeMonitor();
  const sample = { worker: 1, cpuSeconds: 0, residentBytes: 0, eventLoopUtilization: 0 };
  const source = { stats: () => stats, samples: () => [sample], workerRestarts: () => 0, runtime };
  const { config } = resolveConfig({});
  const build = { version: "", nodeVersion: "" };
  const { scrape } = createMetrics(source, limitGauges(config), build);
  const { body } = await scrape({ accept: "text/plain", acceptEncoding: "identity" });
  runtime.stop();
  const page = body.toString();
  const families = new Map<string, Family>(
    [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
      ([, name = "", help = "", type = ""]) => [name, { name, help, type, labels: new Map(), bounds: [] }],
    ),
  );
  for (const [, sampleName = "", labels = ""] of page.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const family = families.get(sampleName) ?? families.get(sampleName.replace(/_(bucket|sum|count)$/, ""));
    for (const [, label = "", value = ""] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === "le") {
        family?.bounds.push(value);
      } else {
        family?.labels.set(label, (family.labels.get(label) ?? new Set()).add(value));
      }
    }
  }
  return [...families.values()];
}
