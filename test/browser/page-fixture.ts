// What the tests of the page share: one browser for a file, and a page on a server of its own for each test.
import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium, openPage, type WatchedPage } from "../support/chromium.ts";
import { waitUntil } from "../support/wait.ts";

/** Starts a browser before the file's tests and ends it after them. The answer opens a page, or skips the test. */
export function useBrowser(): (
  t: TestContext,
  url: string | undefined,
  options?: BrowserContextOptions,
) => Promise<WatchedPage | undefined> {
  let browser: Browser | undefined;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());
  return async (t, url, options) => {
    if (browser === undefined) {
      t.skip("no Chromium is installed");
      return undefined;
    }
    assert.ok(url !== undefined, "the server serves no page");
    const opened = await openPage(browser, url, options);
    t.after(() => opened.page.context().close());
    return opened;
  };
}

/** Waits until the element's text matches. */
export async function seeText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  let text = "";
  await waitUntil(
    async () => {
      text = (await page.locator(selector).textContent()) ?? "";
      return pattern.test(text);
    },
    `${selector} to say ${pattern}`,
    30_000,
  ).catch((error: unknown) => assert.fail(`${String(error)}; it says: ${text}`));
  return text;
}

/** The state of readyState's steps that is marked as the current one. */
export async function seeReadyState(page: Page, readyState: 0 | 1 | 2 | 3): Promise<void> {
  await page.locator(`#ready-state [data-state="${readyState}"][aria-current="step"]`).waitFor();
}

/** The texts of the log's rows. */
export function logRows(page: Page): Promise<string[]> {
  return page.locator("#entries > li").allInnerTexts();
}
