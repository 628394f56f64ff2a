// Checks the Prometheus rules with promtool, and compares them with their tests and docs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { z } from "zod";
import { filesBelow, read, readRules, readYaml, root } from "../../support/deploy.ts";
import { runbook } from "../../support/queries.ts";
import { toolTest } from "../../support/tools.ts";

/** Where the project is, as a page. */
const repository = z
  .object({ repository: z.object({ url: z.string() }) })
  .parse(JSON.parse(read("package.json")))
  .repository.url.replace(/^git\+|\.git$/g, "");

const rules = readRules();
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));
const recorded = new Set(rules.flatMap(({ record }) => record ?? []));

const ruleTests = filesBelow("deploy/prometheus/tests").flatMap(
  (path) =>
    z
      .object({
        tests: z.array(
          z.object({
            alert_rule_test: z
              .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }))
              .default([]),
            promql_expr_test: z
              .array(z.object({ expr: z.string(), exp_samples: z.array(z.unknown()) }))
              .default([]),
          }),
        ),
      })
      .parse(readYaml(path)).tests,
);

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, `promtool ${args.join(" ")}\n${stdout}${stderr}`);
}

toolTest("promtool", "promtool accepts the scrape configuration and the rules", () => {
  promtool("check", "config", "deploy/prometheus/prometheus.yml");
  promtool("check", "rules", ...filesBelow("deploy/prometheus/rules"));
});

toolTest("promtool", "promtool's tests of the rules hold", () => {
  promtool("test", "rules", ...filesBelow("deploy/prometheus/tests"));
});

test("each alert has a promtool test in which it fires, and one in which it stays silent", () => {
  const tests = ruleTests.flatMap(({ alert_rule_test }) => alert_rule_test);
  assert.ok(alerts.length > 0);
  for (const { alert } of alerts) {
    const own = tests
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length);
    assert.ok(Math.max(...own) > 0, `${alert} fires`);
    assert.ok(own.includes(0), `${alert} stays silent`);
  }
});

test("each recording rule has a promtool test of its value", () => {
  const tests = ruleTests.flatMap(({ promql_expr_test }) => promql_expr_test);
  assert.ok(recorded.size > 0);
  for (const record of recorded) {
    const own = tests.filter(({ expr }) => new RegExp(`(?<![\\w:])${record}(?![\\w:])`).test(expr));
    assert.ok(
      own.some(({ exp_samples }) => exp_samples.length > 0),
      record,
    );
  }
});

test("each alert has an entry in the runbook and leads there, and each entry has an alert", () => {
  const entries = runbook();
  assert.deepEqual(entries.map(({ alert }) => alert).toSorted(), alerts.map(({ alert }) => alert).toSorted());
  for (const { alert, annotations, labels } of alerts) {
    // How renderers of Markdown make an anchor of a heading that is one word.
    assert.equal(
      annotations["runbook_url"],
      `${repository}/blob/main/docs/runbook.md#${alert.toLowerCase()}`,
    );
    const entry = entries.find((each) => each.alert === alert);
    assert.ok(entry);
    assert.ok(
      entry.text.trimStart().startsWith(`_${labels["severity"]}_: `),
      `${alert}: severity and meaning`,
    );
    assert.ok(entry.queries.length > 0, `${alert}: how to look closer`);
    assert.match(entry.text, /^- \S/m, `${alert}: what to do`);
  }
});

test("each recorded series is documented, and each documented one is recorded", () => {
  const [, table = ""] = read("docs/runbook.md").split("| Recorded series |");
  const rows = (table.split("\n\n")[0] ?? "").split("\n").slice(2);
  const documented = rows.flatMap((row) =>
    [...row.matchAll(/`(job_instance[\w:]+)`/g)].map(([, name]) => name),
  );
  assert.deepEqual(documented.toSorted(), [...recorded].toSorted());
});
