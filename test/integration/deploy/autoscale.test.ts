// The rule for prometheus-adapter, evaluated by a real Prometheus that scrapes a real server: it must give the autoscaler the
// metric that it wants, pod by pod. The adapter itself is not here, so its template is filled in as it does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { stringify } from "yaml";
import { z } from "zod";
import { connectClient } from "../../support/client.ts";
import { readYaml } from "../../support/deploy.ts";
import { startServer } from "../../support/echo-server.ts";
import { freePort } from "../../support/free-port.ts";
import { toolTest } from "../../support/tools.ts";
import { waitUntil } from "../../support/wait.ts";

const overlay = "deploy/kubernetes/overlays/autoscale";
const resource = z.strictObject({ resource: z.string() });
/** The fields of a rule; the adapter would ignore a misspelt one. */
const rule = z.strictObject({
  seriesQuery: z.string(),
  resources: z.strictObject({ overrides: z.record(z.string(), resource) }),
  name: z.strictObject({ as: z.string() }),
  metricsQuery: z.string(),
});
const values = z.strictObject({ rules: z.strictObject({ custom: z.array(rule).length(1) }) });
const autoscaler = z.object({
  spec: z.object({
    metrics: z.array(
      z.object({ pods: z.object({ metric: z.strictObject({ name: z.string() }) }).optional() }),
    ),
  }),
});

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus whose targets have the labels that the operator gives to pods. */
async function startPrometheus(t: TestContext, targets: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-autoscale-"));
  const authority = `127.0.0.1:${await freePort()}`;
  const pods = Object.entries(targets).map(([pod, target]) => ({
    targets: [target],
    labels: { namespace: "shop", pod },
  }));
  writeFileSync(
    join(folder, "prometheus.yml"),
    stringify({
      global: { scrape_interval: "250ms", scrape_timeout: "250ms" },
      scrape_configs: [{ job_name: "shop/uws-echo", static_configs: pods }],
    }),
  );
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${authority}`,
    ],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  });
  const answer = z.object({
    data: z.object({
      result: z.array(
        z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
      ),
    }),
  });
  return async (expr: string): Promise<Series[]> => {
    const url = `http://${authority}/api/v1/query?query=${encodeURIComponent(expr)}`;
    const response = await fetch(url).catch(() => undefined);
    if (response === undefined || response.status === 503) {
      return []; // It starts.
    }
    const { data } = answer.parse(await response.json());
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
}

toolTest(
  "prometheus",
  "prometheus-adapter's rule gives the autoscaler the connections of each pod",
  async (t) => {
    const [{ seriesQuery, resources, name, metricsQuery }] = values.parse(
      readYaml(`${overlay}/prometheus-adapter.yaml`),
    ).rules.custom as [z.infer<typeof rule>];
    const wanted = autoscaler
      .parse(readYaml(`${overlay}/horizontal-pod-autoscaler.yaml`))
      .spec.metrics.flatMap(({ pods }) => pods?.metric.name ?? []);
    assert.deepEqual(wanted, [name.as]);
    assert.deepEqual(resources.overrides, {
      namespace: { resource: "namespace" },
      pod: { resource: "pod" },
    });

    const servers = [await startServer(t), await startServer(t)] as const;
    for (const [index, count] of [2, 1].entries()) {
      for (let i = 0; i < count; i += 1) {
        await connectClient(t, servers[index]?.urls.echo ?? "");
      }
    }
    const target = (url: string): string => new URL(url).host;
    const query = await startPrometheus(t, {
      "uws-echo-a": target(servers[0].urls.metrics),
      "uws-echo-b": target(servers[1].urls.metrics),
    });

    // First the adapter looks which series there are; their name is <<.Series>>.
    await waitUntil(async () => (await query(seriesQuery)).length === 2, "both pods are scraped", 30_000);
    const series = new Set((await query(seriesQuery)).map(({ metric }) => metric["__name__"]));
    assert.deepEqual([...series], [name.as]);
    // Then it requests those of the pods that the autoscaler has selected.
    const filledIn = metricsQuery
      .replaceAll("<<.GroupBy>>", "pod")
      .replaceAll("<<.Series>>", [...series].join())
      .replaceAll("<<.LabelMatchers>>", 'namespace="shop",pod=~"uws-echo-a|uws-echo-b"');
    assert.doesNotMatch(filledIn, /<<|>>/);
    const found = new Map((await query(filledIn)).map(({ metric, value }) => [metric["pod"], value]));
    assert.deepEqual(
      found,
      new Map([
        ["uws-echo-a", 2],
        ["uws-echo-b", 1],
      ]),
    );
  },
);
