// One worker process: serves, reports its counters several times a second, and ends on the supervisor's order or when
// the supervisor is gone. It does not call process.exit: it ends when its event loop is empty.

import type { Config } from "../config/options.ts";
import { slot } from "../metrics/counters.ts";
import type { Scrape, ScrapeRequest } from "../metrics/scrape.ts";
import { type Serving, serve } from "../server/server.ts";
import { createLog, droppedLogLines, flushLog } from "../system/log.ts";
import type { Inherited, Order, Report } from "./messages.ts";

/** Interval of reports, in milliseconds. */
const reportIntervalMs = 250;
/** Time that a scrape waits for the supervisor, in milliseconds. */
const scrapeTimeoutMs = 2000;

type Waiting = (answer: Extract<Order, { kind: "scraped" }>) => void;
const waiting = new Map<number, Waiting>();
// Never reused: an answer after its timeout must not resolve another request.
let nextId = 1;
let serving: Serving | undefined;

function tell(report: Report, onSent?: () => void): void {
  if (process.connected) {
    process.send?.(report, () => onSent?.());
  } else {
    onSent?.();
  }
}

/** Scrapes the supervisor, which has the counters of all workers. */
function askSupervisor(request: ScrapeRequest): Promise<Scrape> {
  const id = nextId++;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(id);
      reject(new Error(`the supervisor did not answer within ${scrapeTimeoutMs} ms`));
    }, scrapeTimeoutMs);
    waiting.set(id, ({ scrape, problem }) => {
      waiting.delete(id);
      clearTimeout(timer);
      if (scrape === undefined) {
        reject(new Error(problem ?? "no answer"));
      } else {
        resolve(scrape);
      }
    });
    tell({ kind: "scrape", id, request });
  });
}

async function start(config: Config, worker: number, inherited: Inherited): Promise<void> {
  const log = (await createLog(config.logLevel)).child({ worker });
  try {
    serving = await serve(config, {
      worker,
      isOneOfMany: true,
      log,
      ...inherited,
      createScraper: () => askSupervisor,
    });
  } catch (error) {
    tell({ kind: "failed", problem: error instanceof Error ? error.message : String(error) });
    disconnect();
    return;
  }
  tell({ kind: "ready" });
  const report = (onSent?: () => void): void => {
    if (serving !== undefined) {
      serving.stats[slot.logLinesDropped] = droppedLogLines();
      tell({ kind: "stats", stats: serving.stats, sample: serving.sample() }, onSent);
    }
  };
  const timer = setInterval(report, reportIntervalMs);
  // The order to stop may have arrived during the start.
  await stopOrdered;
  if (isForced) {
    serving.force();
  }
  await serving.stop();
  clearInterval(timer);
  await flushLog();
  // The last report must arrive before the channel closes.
  report(disconnect);
}

// The supervisor may already have ended.
function disconnect(): void {
  if (process.connected) {
    process.disconnect();
  }
}

let isForced = false;
let orderStop: () => void = () => undefined;
const stopOrdered = new Promise<void>((resolve) => {
  orderStop = resolve;
});

process.on("message", (order: Order) => {
  switch (order.kind) {
    case "start":
      void start(order.config, order.worker, order.inherited);
      return;
    case "stop":
      orderStop();
      return;
    case "reload":
      serving?.reload();
      return;
    case "force":
      isForced = true;
      serving?.force();
      return;
    case "scraped":
      waiting.get(order.id)?.(order);
  }
});
process.on("disconnect", () => orderStop());
// A terminal signals the whole process group; only the supervisor acts on signals.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const) {
  process.on(signal, () => undefined);
}
