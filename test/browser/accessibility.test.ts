// Runs axe-core on the page and on reports, in both themes and in every visible state.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { concludeStorm } from "../../bench/measure/storm.ts";
import { pageOfComparisons } from "../../bench/report/comparison/page.ts";
import { renderPage } from "../../bench/report/frame/frame.ts";
import { reportSources } from "../../bench/report/kinds.ts";
import { pageOfResults } from "../../bench/report/run/page.ts";
import { pageOfSearches } from "../../bench/report/search/page.ts";
import { pageOfSweeps } from "../../bench/report/sweep/page.ts";
import type { Comparison } from "../../bench/result/comparison.ts";
import type { StormReport } from "../../bench/result/storm.ts";
import { plainLook } from "../../src/lib/terminal.ts";
import { exampleCheck } from "../support/check-report.ts";
import { browserTest as test } from "../support/chromium.ts";
import { allFigures, comparisonOf, normalOf, samplesOf } from "../support/comparison.ts";
import { startServer } from "../support/echo-server.ts";
import { exampleResult } from "../support/result.ts";
import { exampleSearch } from "../support/search.ts";
import { refusedAtFirst, stormOptions, stormOutcome } from "../support/storm.ts";
import { exampleSweep } from "../support/sweep.ts";
import { seeReadyState, seeText } from "./page-fixture.ts";

/** Two arms that differ by a little noise. */
function exampleComparison(): Comparison {
  const normal = normalOf(1);
  return comparisonOf(samplesOf(12, () => allFigures(100 * Math.exp(0.02 * normal()))));
}

function exampleStorm(): StormReport {
  return concludeStorm(stormOptions, stormOutcome(refusedAtFirst), []);
}

/** The report of documents of one kind, as the command `report` writes it. */
function htmlOf(documents: readonly object[]): string {
  const sources = documents.map((document) => ({ name: "example", text: JSON.stringify(document) }));
  return reportSources(sources, { format: "html", service: false, look: plainLook });
}

/** Fails with every violation of WCAG 2.2 and of best practices that axe-core finds. */
async function assertAccessible(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
  assert.deepEqual(told, [], state);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`the page is accessible in the ${colorScheme} theme, in every state`, async (t, open) => {
    const server = await startServer(t, { maxPayload: 1000 });
    const { page } = await open(server.urls.page, { viewport: { width: 1440, height: 900 }, colorScheme });
    await assertAccessible(page, "as it opens");
    await page.click("#send");
    await page.locator(".entry.message summary").first().click();
    await seeText(page, "#server-status", /^Live$/);
    await assertAccessible(page, "connected, with an opened message and live figures");
    await page.click("#endpoints summary");
    await page.fill('[name="jitter"]', "5s");
    await page.locator("#endpoint-problem").waitFor();
    await page.click("#options summary");
    await page.click("#connection-add");
    await page.click("#connections button");
    await page.click("#history summary");
    await assertAccessible(page, "with every menu open, and two connections");
    await page.fill("#url", server.urls.echo);
    await page.click("#help-open");
    await assertAccessible(page, "with the help open");
    await page.keyboard.press("Escape");
    await page.click("#tab-flood");
    await page.click("#flood-start");
    await seeText(page, "#flood-rate", /\d/);
    await assertAccessible(page, "with the figures of a flood");
    await page.click("#tab-overrun");
    await page.click("#overrun-start");
    await seeText(page, "#overrun-outcome", /\w/);
    await assertAccessible(page, "with an overrun");
    await page.click("#tab-snippets");
    await assertAccessible(page, "with snippets");
    await page.click("#tab-console");
    await page.fill("#message", "x".repeat(2000));
    await page.click("#send");
    await seeReadyState(page, 3);
    await assertAccessible(page, "cut by the server");
    await page.setViewportSize({ width: 375, height: 812 });
    await page.click("#tab-server");
    await assertAccessible(page, "on a phone, with the server's figures");
  });

  test(`reports are accessible in the ${colorScheme} theme`, async (t, open) => {
    const folder = mkdtempSync(join(tmpdir(), "uws-echo-report-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const reports = {
      "results.html": renderPage(pageOfResults([exampleResult(), exampleResult()])),
      "searches.html": renderPage(pageOfSearches([await exampleSearch(), await exampleSearch()])),
      "checks.html": htmlOf([exampleCheck(), exampleCheck()]),
      "storms.html": htmlOf([exampleStorm(), exampleStorm()]),
      "sweeps.html": renderPage(pageOfSweeps([exampleSweep()])),
      "comparison.html": renderPage(pageOfComparisons([exampleComparison(), exampleComparison()])),
    };
    for (const [name, report] of Object.entries(reports)) {
      const path = join(folder, name);
      writeFileSync(path, report);
      for (const width of [1280, 375]) {
        const viewport = { width, height: 812 };
        const { page, troubles } = await open(pathToFileURL(path).href, { viewport, colorScheme });
        await assertAccessible(page, `${name}, ${width} pixels wide`);
        assert.deepEqual(troubles, []);
      }
    }
  });
}
