// Lets all who ask for the metrics at a time share one rendering: each costs milliseconds, and anybody may ask.
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalRequest, type Scrape, type ScrapeRequest, type Scraper } from "./scrape.ts";

/** Time between two renderings of one format in one encoding, in milliseconds. */
const gapMs = 100;

/**
 * Never gives a page that is older than the request: one that comes too soon after a rendering waits for the next, with
 * all that come meanwhile.
 */
export function shareScrapes(scrape: Scraper): Scraper {
  /** The rendering that has not begun, by format and encoding. */
  const waiting = new Map<string, Promise<Scrape>>();
  /** Resolves when the last rendering has ended, with that time in milliseconds. */
  const last = new Map<string, Promise<number>>();

  async function render(key: string, request: ScrapeRequest): Promise<Scrape> {
    const endedAt = (await last.get(key)) ?? Number.NEGATIVE_INFINITY;
    const waitMs = endedAt + gapMs - performance.now();
    if (waitMs > 0) {
      await sleep(waitMs);
    }
    waiting.delete(key);
    const rendering = scrape(request);
    const now = (): number => performance.now();
    last.set(key, rendering.then(now, now));
    const { headers, body } = await rendering;
    return { headers, body: typeof body === "string" ? Buffer.from(body) : body };
  }

  return (asked) => {
    const request = canonicalRequest(asked);
    const key = `${request.accept} ${request.acceptEncoding}`;
    const shared = waiting.get(key) ?? render(key, request);
    waiting.set(key, shared);
    return shared;
  };
}
