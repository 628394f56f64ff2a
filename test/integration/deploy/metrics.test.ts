// The rules and the dashboard against a real server: nothing in them may name what the server does not expose.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { z } from "zod";
import { connectClient } from "../../support/client.ts";
import { readDashboard, readRules, root, withoutVariables } from "../../support/deploy.ts";
import { type Cleanup, scrape, startServer } from "../../support/echo-server.ts";
import { requireTool } from "../../support/tools.ts";
import { waitUntil } from "../../support/wait.ts";

interface Query {
  readonly name: string;
  readonly expr: string;
}

function dashboardQueries(): Query[] {
  const { panels, annotations } = readDashboard();
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr }))),
    ...annotations.list.map(({ name, expr }) => ({ name, expr })),
  ];
}

const ruleQueries = (): Query[] =>
  readRules().map(({ alert, record, expr }) => ({ name: alert ?? record ?? "", expr }));

/** The selectors of an expression: `name{matchers}`. Names of ours, and of prom-client's defaults. */
function selectors(expr: string): { metric: string; matchers: string }[] {
  return [...expr.matchAll(/(?<![\w:])((?:echo|process|nodejs)_\w+)(?![\w:])(?:\{([^}]*)\})?/g)].map(
    ([, metric = "", matchers = ""]) => ({ metric, matchers }),
  );
}

/** A Prometheus that scrapes `target` five times a second under our rules, until the test ends. */
async function startPrometheus(t: Cleanup, target: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-prometheus-"));
  const config = join(folder, "prometheus.yml");
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" },
      rule_files: [`${root}deploy/prometheus/rules/*.yml`],
      scrape_configs: [{ job_name: "uws-echo", static_configs: [{ targets: [target] }] }],
    }),
  );
  const reserved = createServer().listen(0, "127.0.0.1");
  await once(reserved, "listening");
  const authority = `127.0.0.1:${z.object({ port: z.number() }).parse(reserved.address()).port}`;
  reserved.close();
  await once(reserved, "close");
  const child = spawn(
    "prometheus",
    [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${authority}`],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  });
  await waitUntil(
    () =>
      fetch(`http://${authority}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      ),
    "Prometheus is ready",
  );
  return `http://${authority}`;
}

async function countSeries(prometheus: string, { name, expr }: Query): Promise<number> {
  const url = `${prometheus}/api/v1/query?query=${encodeURIComponent(withoutVariables(expr))}`;
  const answer = z
    .object({
      error: z.string().optional(),
      data: z.object({ result: z.array(z.unknown()) }).optional(),
    })
    .parse(await (await fetch(url)).json());
  assert.equal(answer.error, undefined, `${name}: ${expr}`);
  return answer.data?.result.length ?? 0;
}

test("every metric, label and label value that the rules and the dashboard name is one that the server exposes", async (t) => {
  const server = await startServer(t);
  const samples = Object.keys(await scrape(server.urls.metrics));
  // Prometheus adds these two by itself.
  const added = new Set(["job", "instance"]);
  const queries = [...ruleQueries(), ...dashboardQueries()];
  const used = queries.flatMap(({ name, expr }) =>
    selectors(expr).map((selector) => ({ name, ...selector })),
  );
  assert.ok(used.length > 50);
  for (const { name, metric, matchers } of used) {
    const series = samples.filter((sample) => sample === metric || sample.startsWith(`${metric}{`));
    assert.ok(series.length > 0, `${name}: ${metric}`);
    for (const [, label = "", operator = "", value = ""] of matchers.matchAll(
      /(\w+)(=~|!~|!=|=)"([^"]*)"/g,
    )) {
      if (added.has(label)) continue;
      const alternatives = operator.endsWith("~") ? value.split("|") : [value];
      for (const each of alternatives)
        assert.ok(
          series.some((sample) => sample.includes(`${label}="${each}"`)),
          `${name}: ${metric}{${label}="${each}"}`,
        );
    }
  }
});

test("a real Prometheus evaluates every rule, and every panel has something to show", async (t) => {
  if (!requireTool(t, "prometheus")) return;
  const server = await startServer(t);
  const prometheus = await startPrometheus(t, new URL(server.urls.metrics).host);

  const unanswered = new Map(dashboardQueries().map((query) => [`${query.name}: ${query.expr}`, query]));
  // Shows a moment, not a state: it is empty unless the server has just been restarted.
  const momentary = [...unanswered].filter(([, query]) => query.expr.startsWith("changes("));
  await waitUntil(async () => {
    // Traffic goes on, so that rates are above zero: a message each way, a connection that closes, a request.
    const { ws, next, closed } = await connectClient(t, server.urls.echo);
    ws.send("hello");
    await next();
    ws.close(1000);
    await closed;
    await (await fetch(server.urls.inspect)).text();
    for (const [key, query] of unanswered) {
      const series = await countSeries(prometheus, query);
      if (series > 0 || momentary.some(([each]) => each === key)) unanswered.delete(key);
    }
    return unanswered.size === 0;
  }, "every panel shows something").catch((error: unknown) => {
    throw new Error(`nothing to show:\n${[...unanswered.keys()].join("\n")}`, { cause: error });
  });

  const { data } = z
    .object({
      data: z.object({
        groups: z.array(
          z.object({
            rules: z.array(
              z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() }),
            ),
          }),
        ),
      }),
    })
    .parse(await (await fetch(`${prometheus}/api/v1/rules`)).json());
  const rules = data.groups.flatMap((group) => group.rules);
  assert.equal(rules.length, readRules().length);
  assert.deepEqual(
    rules.filter((rule) => rule.health !== "ok"),
    [],
  );
});
