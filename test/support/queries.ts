// Collects every PromQL query of the project: in rules, dashboard and runbook.
import { read, readDashboard, readRules } from "./deploy.ts";

export interface Query {
  /** Where it is from. */
  readonly name: string;
  readonly expr: string;
}

export function ruleQueries(): Query[] {
  return readRules().map(({ alert, record, expr }) => ({ name: alert ?? record ?? "", expr }));
}

/** The queries of the dashboard, with every server selected. */
export function dashboardQueries(): Query[] {
  const { panels, annotations } = readDashboard();
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr }))),
    ...annotations.list,
  ].map(({ name, expr }) => ({
    name,
    expr: expr.replaceAll(/\$(job|instance)\b/g, ".*").replaceAll("$__rate_interval", "1m"),
  }));
}

/** An alert's entry in docs/runbook.md. */
export interface RunbookEntry {
  readonly alert: string;
  readonly text: string;
  readonly queries: readonly string[];
}

export function runbook(): RunbookEntry[] {
  return read("docs/runbook.md")
    .split("\n## ")
    .slice(1)
    .filter((entry) => entry.startsWith("UwsEcho"))
    .map((entry) => {
      const [alert = "", text = ""] = entry.split(/\n(.*)/s, 2);
      const blocks = [...text.matchAll(/^```promql\n(.*?)^```$/gms)];
      return { alert, text, queries: blocks.flatMap(([, lines = ""]) => lines.trimEnd().split("\n")) };
    });
}

export function runbookQueries(): Query[] {
  return runbook().flatMap(({ alert, queries }) =>
    queries.map((expr) => ({ name: `runbook of ${alert}`, expr })),
  );
}

/** Whether a query is about generators of load, and not about servers. */
export function isOfLoad({ expr }: Query): boolean {
  return expr.includes("uws_echo_bench_");
}

/** A metric that a query names, with its label matchers. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/** The selectors of a query that name metrics of the server, or recorded ones. */
export function selectorsOf(expr: string): Selector[] {
  const names = /(?<![\w:])((?:(?:echo|process|nodejs|uws_echo_bench)_|job_instance)[\w:]+)(?:\{([^}]*)\})?/g;
  return [...expr.matchAll(names)].map(([, metric = "", matchers = ""]) => ({
    metric,
    matchers: [...matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(
      ([, label = "", operator = "", value = ""]) => ({
        label,
        values: operator.endsWith("~") ? value.split("|") : [value],
      }),
    ),
  }));
}
