// What rules, dashboard and runbook name, held against real scrapes: nothing may name what the server does not expose.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCertificates } from "../../support/certificates.ts";
import { readRules } from "../../support/deploy.ts";
import { scrape, spawnServer } from "../../support/echo-server.ts";
import {
  dashboardQueries,
  isOfLoad,
  ruleQueries,
  runbookQueries,
  type Selector,
  selectorsOf,
} from "../../support/queries.ts";
import { waitUntil } from "../../support/wait.ts";

/** Labels that no scrape has: Prometheus adds the first two, and rules the third. */
const added = new Set(["job", "instance", "quantile"]);
const recorded = new Map(readRules().map(({ record, expr }) => [record, expr]));

/** The series of the scrape behind a metric; behind a recorded one, those of the rule that makes it. */
function seriesOf(metric: string, samples: readonly string[]): string[] {
  const rule = recorded.get(metric);
  if (rule !== undefined) {
    return selectorsOf(rule).flatMap((each) => seriesOf(each.metric, samples));
  }
  return samples.filter((sample) => sample === metric || sample.startsWith(`${metric}{`));
}

function check(name: string, { metric, matchers }: Selector, samples: readonly string[]): void {
  const series = seriesOf(metric, samples);
  assert.ok(series.length > 0, `${name}: ${metric}`);
  for (const { label, values } of matchers.filter((matcher) => !added.has(matcher.label))) {
    for (const value of values) {
      const isExposed = series.some((sample) => sample.includes(`${label}="${value}"`));
      assert.ok(isExposed, `${name}: ${metric}{${label}="${value}"}`);
    }
  }
}

for (const [what, args] of [
  ["one process", []],
  ["a supervisor of two workers", ["--workers", "2"]],
] as const) {
  test(`every metric, label and label value in a query is exposed by ${what}`, async (t) => {
    // With TLS, so that the metrics of certificates are there; the admin listener speaks plain HTTP.
    const { cert, key } = await makeCertificates(t);
    const { urls } = await spawnServer(t, [
      ...args,
      ...["--tls-cert", cert, "--tls-key", key, "--admin-port", "0", "--admin-host", "127.0.0.1"],
    ]);
    const metricsUrl = urls.find((url) => url.endsWith("/metrics")) ?? "";
    let samples: string[] = [];
    // A supervisor knows how its workers are from their first report on.
    await waitUntil(async () => {
      samples = Object.keys(await scrape(metricsUrl));
      return samples.some((sample) => sample.startsWith("echo_worker_event_loop_utilization{"));
    }, "the first report of a worker");
    const used = [
      ...ruleQueries(),
      ...dashboardQueries().filter((query) => !isOfLoad(query)),
      ...runbookQueries(),
    ].flatMap(({ name, expr }) => selectorsOf(expr).map((selector) => ({ name, selector })));
    assert.ok(used.length > 100);
    for (const { name, selector } of used) {
      check(name, selector, samples);
    }
  });
}
