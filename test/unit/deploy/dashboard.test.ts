// Checks the Grafana dashboard: generated from its source, without overlaps, and readable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { buildDashboard } from "../../../deploy/grafana/dashboard.ts";
import { filesBelow, read, readDashboard, readYaml } from "../../support/deploy.ts";
import { isOfLoad } from "../../support/queries.ts";

const path = "deploy/grafana/dashboards/uws-echo.json";
const { panels } = readDashboard();
const drawn = panels.filter(({ type }) => type !== "row");

test("the committed dashboard is what its source makes (npm run build:dashboard)", () => {
  assert.deepEqual(JSON.parse(read(path)), JSON.parse(JSON.stringify(buildDashboard())));
});

test("panels have ids of their own and do not overlap", () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies over another panel`);
        taken.set(`${x},${y}`, title);
      }
    }
  }
});

test("panels are grouped into rows, and every line of the grid is full", () => {
  assert.deepEqual(
    panels.filter(({ type }) => type === "row").map(({ title }) => title),
    [
      "Traffic",
      "Latency of the event loop",
      "Backpressure",
      "Connections",
      "Admission",
      "HTTP",
      "TLS",
      "Endpoints on demand",
      "Process",
      "Load",
    ],
  );
  for (const y of new Set(panels.map(({ gridPos }) => gridPos.y))) {
    const line = panels.filter(({ gridPos }) => gridPos.y === y);
    assert.equal(
      line.reduce((sum, { gridPos }) => sum + gridPos.w, 0),
      24,
      line.map(({ title }) => title).join(", "),
    );
  }
});

test("every panel is described, has a unit, and names its series apart", () => {
  for (const { title, type, description, fieldConfig, targets } of drawn) {
    assert.ok(description, title);
    assert.ok(targets.length > 0, title);
    if (type !== "table") {
      assert.ok(fieldConfig?.defaults.unit, title);
    }
    if (type !== "timeseries") {
      continue;
    }
    const legends = targets.map(({ legendFormat }) => legendFormat);
    assert.ok(legends.every((legend) => legend !== ""));
    assert.equal(new Set(legends).size, legends.length, title);
  }
});

test("every query is of the servers that the variables select, and none reaches for a fixed data source", () => {
  const dashboard = z
    .object({ templating: z.object({ list: z.array(z.object({ name: z.string() })) }) })
    .parse(JSON.parse(read(path)));
  assert.deepEqual(
    dashboard.templating.list.map(({ name }) => name),
    ["datasource", "job", "instance"],
  );
  for (const { title, targets } of drawn) {
    for (const { expr } of targets) {
      // ALERTS is of all servers: an alert about absence has no labels. Generators of load are no servers.
      if (expr.includes("ALERTS{") || isOfLoad({ name: title, expr })) {
        continue;
      }
      const metrics = expr.match(/[\w:]+\{/g) ?? [];
      const selected = expr.match(/[\w:]+\{job=~"\$job", instance=~"\$instance"/g) ?? [];
      assert.ok(metrics.length > 0 && selected.length === metrics.length, `${title}: ${expr}`);
    }
  }
  const uids = [...read(path).matchAll(/"uid": "(.*?)"/g)].map(([, uid]) => uid);
  assert.deepEqual([...new Set(uids)].toSorted(), [`\${datasource}`, "uws-echo"]);
});

test("Grafana is provisioned with the dashboard and with Compose's Prometheus", () => {
  const { providers } = z
    .object({
      apiVersion: z.literal(1),
      providers: z.array(z.object({ type: z.literal("file"), options: z.object({ path: z.string() }) })),
    })
    .parse(readYaml("deploy/grafana/provisioning/dashboards/uws-echo.yml"));
  const { datasources } = z
    .object({
      apiVersion: z.literal(1),
      datasources: z.array(
        z.object({
          type: z.literal("prometheus"),
          url: z.string(),
          isDefault: z.literal(true),
          jsonData: z.object({ timeInterval: z.string() }),
        }),
      ),
    })
    .parse(readYaml("deploy/grafana/provisioning/datasources/prometheus.yml"));
  const { services } = z
    .object({ services: z.record(z.string(), z.object({ volumes: z.array(z.string()).default([]) })) })
    .parse(readYaml("deploy/compose/compose.yaml"));
  const volumes = services["grafana"]?.volumes ?? [];
  assert.ok(volumes.includes(`../grafana/dashboards:${providers[0]?.options.path}:ro`));
  assert.ok(volumes.includes("../grafana/provisioning:/etc/grafana/provisioning:ro"));
  assert.ok(services[new URL(datasources[0]?.url ?? "").hostname], datasources[0]?.url);
  const { global } = z
    .object({ global: z.object({ scrape_interval: z.string() }) })
    .parse(readYaml("deploy/prometheus/prometheus.yml"));
  assert.equal(datasources[0]?.jsonData.timeInterval, global.scrape_interval);
  assert.deepEqual(filesBelow("deploy/grafana/dashboards"), [path]);
});
