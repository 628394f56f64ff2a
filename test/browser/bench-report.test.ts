import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { renderPage } from "../../bench/report/frame/frame.ts";
import { pageOfResults } from "../../bench/report/run/page.ts";
import type { Result } from "../../bench/result/schema.ts";
import { readResult } from "../../bench/result/store.ts";
import { judge } from "../../bench/result/verdict.ts";
import { type OpenPage, browserTest as test, type WatchedPage } from "../support/chromium.ts";
import { exampleResult } from "../support/result.ts";

async function openReport(t: TestContext, open: OpenPage, results: readonly Result[]): Promise<WatchedPage> {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-report-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "report.html");
  writeFileSync(path, renderPage(pageOfResults(results)));
  return open(pathToFileURL(path).href);
}

/** Whether each canvas shows more than its background. */
function canvasesWithInk(page: Page): Promise<boolean[]> {
  return page.$$eval("canvas", (canvases) =>
    canvases.map((canvas) => {
      const context = canvas.getContext("2d");
      const pixels = context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return pixels.some((value: number) => value !== 0);
    }),
  );
}

test("the page draws every plot without an error or a network request", async (t, open) => {
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
  assert.deepEqual(await canvasesWithInk(page), Array(6).fill(true));
  assert.deepEqual(await page.locator("figcaption h3").allTextContents(), [
    "Latency by percentile",
    "Latency histogram",
    "Rate over time",
    "Latency over time",
    "CPU over time",
    "Server buffers over time",
  ]);
  const curves = await page.locator("figure").first().locator(".u-legend .u-label").allTextContents();
  assert.deepEqual(
    curves.map((label) => label.replace(/:$/, "")),
    [
      "Percentile",
      "ws://127.0.0.1:9998/echo (1)",
      "ws://127.0.0.1:9998/echo (2)",
      "open loop </script><b>",
      "open loop </script><b> (service)",
    ],
  );
  assert.equal(await page.getByLabel("Figures").locator("tr").count(), 4);
  assert.match(
    (await page.locator(".warnings").textContent()) ?? "",
    /200,000 of 400,000 messages .* could not be sent/,
  );
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 400, height: 800 });
  assert.deepEqual(await canvasesWithInk(page), Array(6).fill(true));
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
  assert.deepEqual(await page.locator("figcaption h3").allTextContents(), [
    "Latency by percentile",
    "Latency histogram",
  ]);
  assert.match((await page.locator(".failed").textContent()) ?? "", /no replies were received/);
  assert.deepEqual(troubles, []);
});

test("a table wider than the screen shows a hint, on a phone but not on a desktop", async (t, open) => {
  const { page } = await openReport(t, open, [exampleResult()]);
  const hint = page.locator(".scroller:has([aria-label=Figures]) .hint");
  await hint.waitFor({ state: "hidden" });
  await page.setViewportSize({ width: 375, height: 812 });
  await hint.waitFor({ state: "visible" });
  await page.emulateMedia({ media: "print" });
  await hint.waitFor({ state: "hidden" });
});

test("the download is the Result, and dashed lines have dashed swatches", async (t, open) => {
  const result = exampleResult();
  const { page } = await openReport(t, open, [result]);
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download/ }).click();
  const download = await coming;
  assert.equal(download.suggestedFilename(), "result-20261122T120000Z.json");
  assert.deepEqual(readResult(await download.path()), result);
  const swatches = await page
    .locator("figure", { hasText: "CPU over time" })
    .locator(".u-marker")
    .evaluateAll((markers) => markers.map((marker) => marker.getAttribute("style")));
  assert.doesNotMatch(swatches[1] ?? "repeating", /repeating/);
  assert.match(swatches[2] ?? "", /repeating-linear-gradient/);
});

test("prints in the colours of the light theme", async (t, open) => {
  const { page } = await openReport(t, open, [exampleResult()]);
  await page.emulateMedia({ colorScheme: "dark" });
  const inkOf = (): Promise<string> =>
    page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')");
  const dark = await inkOf();
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  const printed = await inkOf();
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  assert.equal(await inkOf(), dark);
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(printed, await inkOf());
  assert.notEqual(printed, dark);
});
