// A real Chromium for tests, and a page in it that notes everything that goes wrong.
import { spawnSync } from "node:child_process";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const launchNames = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const benchArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's path: what CHROMIUM names, or the first that is installed; undefined when there is none. */
export function findChromium(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named !== undefined && named !== "") {
    return named;
  }
  const found = spawnSync(
    "sh",
    ["-c", `for name; do command -v "$name" && break; done`, "sh", ...launchNames],
    {
      encoding: "utf8",
    },
  );
  return found.stdout.trim() || undefined;
}

/** Starts the browser; undefined where there is none, which under CI is an error. */
export async function launchChromium(): Promise<Browser | undefined> {
  const executablePath = findChromium();
  if (executablePath !== undefined) {
    return chromium.launch({ executablePath, args: benchArguments });
  }
  if (process.env["CI"]) {
    throw new Error("no Chromium is installed, and under CI that is a failure");
  }
  return undefined;
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console (violations of the policy among them), uncaught errors, requests elsewhere. */
  readonly troubles: string[];
}

/** Opens a URL in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const troubles: string[] = [];
  const here = new URL(url).host;
  page.on("console", (message) => {
    // Tests read canvases back to see whether anything was drawn; Chromium's advice on that is none of the page's.
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
