import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { formatHtml } from "../../bench/report/html.ts";
import type { Result } from "../../bench/result/schema.ts";
import { judge } from "../../bench/result/verdict.ts";
import { type OpenPage, browserTest as test, type WatchedPage } from "../support/chromium.ts";
import { exampleResult } from "../support/result.ts";

async function openReport(t: TestContext, open: OpenPage, results: readonly Result[]): Promise<WatchedPage> {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-report-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "report.html");
  writeFileSync(path, formatHtml(results));
  return open(pathToFileURL(path).href);
}

/** Whether something other than background was drawn on every canvas. */
function canvasesWithInk(page: Page): Promise<boolean[]> {
  return page.$$eval("canvas", (canvases) =>
    canvases.map((canvas) => {
      const context = canvas.getContext("2d");
      const pixels = context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return pixels.some((value: number) => value !== 0);
    }),
  );
}

test("the page draws every plot without an error or a request to anywhere", async (t, open) => {
  const openLoop = exampleResult((result) => {
    result.label = "open loop </script><b>";
    result.loop = "open";
    result.latencyFrom = "intended-send";
    result.scenario.depth = null;
    result.scenario.ratePerSecond = 200_000;
    result.messages.due = 400_000;
    result.messages.unsent = 200_000;
  });
  const { page, troubles } = await openReport(t, open, [exampleResult(), exampleResult(), judge(openLoop)]);
  assert.deepEqual(await canvasesWithInk(page), [true, true, true, true, true]);
  assert.deepEqual(await page.locator("figcaption h2").allTextContents(), [
    "Latency by percentile",
    "Rate over time",
    "Latency over time",
    "CPU over time",
    "Server buffers over time",
  ]);
  const curves = await page.locator("figure").first().locator(".u-legend .u-label").allTextContents();
  assert.deepEqual(
    curves.map((label) => label.replace(/:$/, "")),
    [
      "percentile",
      "ws://127.0.0.1:9998/echo (1)",
      "ws://127.0.0.1:9998/echo (2)",
      "open loop </script><b>",
      "open loop </script><b> (service)",
    ],
  );
  assert.equal(await page.locator("#figures tr").count(), 4);
  assert.match(
    (await page.locator(".warnings").textContent()) ?? "",
    /200,000 of 400,000 messages .* could not be sent/,
  );
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 400, height: 800 });
  assert.deepEqual(await canvasesWithInk(page), [true, true, true, true, true]);
  assert.deepEqual(troubles, []);
});

test("a run without replies or a known server still makes a page, without plots of the unknown", async (t, open) => {
  const opened = await openReport(t, open, [
    judge(
      exampleResult((result) => {
        result.messages.received = 0;
        result.summary.latencyUs = null;
        result.summary.serviceUs = null;
        result.series = [];
        delete result.server;
      }),
    ),
  ]);
  const { page, troubles } = opened;
  assert.deepEqual(await page.locator("figcaption h2").allTextContents(), ["Latency by percentile"]);
  assert.match((await page.locator(".failed").textContent()) ?? "", /no message came back/);
  assert.deepEqual(troubles, []);
});
