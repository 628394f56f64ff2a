// The Prometheus configuration, by Prometheus's own tool.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { filesBelow, read, readDashboard, readRules, root } from "../../support/deploy.ts";
import { requireTool } from "../../support/tools.ts";

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, `promtool ${args.join(" ")}\n${stdout}${stderr}`);
}

test("promtool accepts the scrape configuration and the rules", (t) => {
  if (!requireTool(t, "promtool")) return;
  promtool("check", "config", "deploy/prometheus/prometheus.yml");
  promtool("check", "rules", ...filesBelow("deploy/prometheus/rules"));
});

test("each alert fires and stays silent when it should", (t) => {
  if (!requireTool(t, "promtool")) return;
  promtool("test", "rules", ...filesBelow("deploy/prometheus/tests"));
});

test("each rule has a promtool test, and each alert is explained in docs/deploying.md", () => {
  const tests = filesBelow("deploy/prometheus/tests").map(read).join("\n");
  const docs = read("docs/deploying.md");
  for (const { alert, record } of readRules()) {
    if (alert !== undefined) {
      assert.ok(tests.includes(`alertname: ${alert}\n`), alert);
      assert.ok(docs.includes(`\`${alert}\``), alert);
    } else {
      assert.match(tests, new RegExp(`expr: .*\\b${record}\\b`), record);
    }
  }
});

test("the dashboard's panels have ids of their own and do not overlap", () => {
  const { panels } = readDashboard();
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
