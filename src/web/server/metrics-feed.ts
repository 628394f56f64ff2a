// Polls the server's /metrics and passes the figures to its listener.

import { parseMetricsText } from "../../lib/prometheus-text.ts";
import { type Reading, ratesBetween, readFigures } from "./figures.ts";
import type { FeedStatus } from "./status.ts";

export interface Feed {
  listen(listener: (status: FeedStatus) => void): void;
  /** The last good reading. */
  latest(): Reading | undefined;
  /** Reads at least at this interval in ms until released, for short experiments. */
  hurry(intervalMs: number): () => void;
  readNow(): void;
}

const liveMs = 1000;
/** Timeout of a read. */
const timeoutMs = 4000;
/** Maximum delay between attempts while the metrics cannot be read. */
const slowestMs = 15_000;

/** @param url the current URL of /metrics; undefined if unknown */
export function createFeed(url: () => string | undefined): Feed {
  const listeners: ((status: FeedStatus) => void)[] = [];
  let previous: Reading | undefined;
  let failures = 0;
  let hurried: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;

  async function read(): Promise<void> {
    clearTimeout(timer);
    if (reading) {
      return;
    }
    reading = true;
    const status = document.hidden ? undefined : await readOnce(url(), previous);
    reading = false;
    if (status !== undefined) {
      failures = status.kind === "live" ? 0 : failures + 1;
      previous = status.kind === "live" ? status.reading : previous;
      for (const listener of listeners) {
        listener(status);
      }
    }
    timer = setTimeout(() => void read(), wait());
  }

  function wait(): number {
    if (failures === 0) {
      return hurried ?? liveMs;
    }
    return Math.min(slowestMs, liveMs * 2 ** Math.min(failures - 1, 4));
  }

  document.addEventListener("visibilitychange", () => void read());
  timer = setTimeout(() => void read(), 0);

  return {
    listen: (listener) => void listeners.push(listener),
    latest: () => previous,
    hurry(intervalMs) {
      hurried = intervalMs;
      void read();
      return () => {
        hurried = undefined;
      };
    },
    readNow: () => void read(),
  };
}

async function readOnce(url: string | undefined, previous: Reading | undefined): Promise<FeedStatus> {
  if (url === undefined) {
    return { kind: "unreachable" };
  }
  let page: string;
  try {
    const response = await fetch(url, {
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
      headers: { Accept: "text/plain" },
    });
    if (!response.ok) {
      return { kind: "refused", httpStatus: response.status };
    }
    page = await response.text();
  } catch {
    // fetch() does not report a reason: a refused connection, an unknown host and a cross-origin failure look the same.
    return { kind: "unreachable" };
  }
  try {
    const reading = readFigures(parseMetricsText(page), performance.now());
    return {
      kind: "live",
      reading,
      rates: previous === undefined ? undefined : ratesBetween(previous, reading),
    };
  } catch (error) {
    return { kind: "unreadable", problem: error instanceof Error ? error.message : String(error) };
  }
}
