// The shapes of query that panels share: all of them ask only about the servers that the dashboard's variables select.
import type { Query } from "./panels.ts";

/** A metric of the servers that the dashboard's variables select; `matchers` narrow it further. */
export function of(metric: string, matchers = ""): string {
  return `${metric}{job=~"$job", instance=~"$instance"${matchers === "" ? "" : `, ${matchers}`}}`;
}

/** A counter's rate as it is now, over all selected servers. A recorded one is over five minutes: it would hide a short load. */
export function live(counter: string, by = "", matchers = ""): string {
  return `sum${by === "" ? "" : ` by (${by})`} (rate(${of(counter, matchers)}[$__rate_interval]))`;
}

/** The recorded quantiles of a histogram, of the server where they are largest. */
export function quantiles(histogram: string): Query[] {
  const recorded = of(`job_instance_quantile:${histogram}:histogram_quantile`);
  return [{ legend: "quantile {{quantile}}", expr: `max by (quantile) (${recorded})` }];
}

/** A quantile of a time that generators of load measure. */
export function generated(quantile: number, name: "latency" | "lag"): string {
  const buckets = `rate(uws_echo_bench_${name}_seconds_bucket[$__rate_interval])`;
  return `histogram_quantile(${quantile}, sum by (le) (${buckets}))`;
}

export const byInstance = (metric: string): Query => ({ legend: "{{instance}}", expr: of(metric) });
export const byReason = (recorded: string): Query[] => [
  { legend: "{{reason}}", expr: `sum by (reason) (${of(recorded)})` },
];
export const byWorker = (expr: string): Query[] => [{ legend: "{{instance}} worker {{worker}}", expr }];
export const limit = (expr: string): Query => ({ legend: "limit {{instance}}", expr, isLimit: true });
