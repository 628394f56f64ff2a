// Reads the page at / in tests.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { waitUntil } from "../support/wait.ts";

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
