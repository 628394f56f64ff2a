// Shares one rendering of the metrics between concurrent scrapes: a rendering takes milliseconds, and anyone may scrape.
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalRequest, type Scrape, type ScrapeRequest, type Scraper } from "./scrape.ts";

/** Time between two renderings of one format in one encoding, in milliseconds. */
const gapMs = 100;

/**
 * Never returns a page older than the request: a request too soon after a rendering waits for the next one, with
 * all others that arrive meanwhile.
 */
export function shareScrapes(scrape: Scraper): Scraper {
  /** Renderings that have not started, by format and encoding. */
  const waiting = new Map<string, Promise<Scrape>>();
  /** Resolves with the end of the last rendering, in milliseconds. */
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
