// Starts a real Chromium for tests, and opens pages that record every error.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, type TestContext, test } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const browserNames = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const launchArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's path: the variable CHROMIUM, or the first that is installed; undefined if there is none. */
function findChromium(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") {
    return named;
  }
  const found = spawnSync(
    "sh",
    ["-c", `for name; do command -v "$name" && break; done`, "sh", ...browserNames],
    {
      encoding: "utf8",
    },
  );
  return found.stdout.trim() || undefined;
}

/** Opens a URL in a new context, which closes after the test. */
export type OpenPage = (url: string | undefined, options?: BrowserContextOptions) => Promise<WatchedPage>;

// One browser for all tests of a file, started by the first one.
let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** A test that needs Chromium: skipped with the reason if there is none, a failure under CI. */
export function browserTest(name: string, body: (t: TestContext, open: OpenPage) => Promise<void>): void {
  test(name, async (t) => {
    const executablePath = findChromium();
    if (executablePath === undefined) {
      if (process.env["CI"]) {
        throw new Error("chromium is not installed, and under CI that is a failure");
      }
      t.skip("chromium is not installed");
      return;
    }
    browser ??= chromium.launch({ executablePath, args: launchArguments });
    const launched = await browser;
    await body(t, async (url, options) => {
      assert.ok(url !== undefined, "the server serves no page");
      const opened = await openPage(launched, url, options);
      t.after(() => opened.page.context().close());
      return opened;
    });
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console (violations of the policy among them), uncaught errors, requests elsewhere. */
  readonly troubles: string[];
}

async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const troubles: string[] = [];
  const here = new URL(url).host;
  page.on("console", (message) => {
    // Tests read canvases back, and Chromium's advice on that does not concern the page.
    const isAdvice = message.text().startsWith("Canvas2D: Multiple readback operations");
    if (["error", "warning"].includes(message.type()) && !isAdvice) {
      troubles.push(message.text());
    }
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("crash", () => troubles.push("the page crashed"));
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (host !== here && protocol !== "data:" && protocol !== "blob:") {
      troubles.push(`request to ${request.url()}`);
    }
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== here) {
      troubles.push(`WebSocket to ${socket.url()}`);
    }
  });
  await page.goto(url);
  return { page, troubles };
}
