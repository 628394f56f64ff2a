// The endpoints for operators, /metrics, /livez and /readyz, on the main port or on the admin listener.
import type { HttpResponse } from "uWebSockets.js";
import type { Scraper } from "../metrics/scrape.ts";
import { shareScrapes } from "../metrics/shared-scrapes.ts";
import type { Log } from "../system/log.ts";
import type { Endpoint, HttpHandler } from "./endpoint.ts";
import type { SendReply } from "./reply.ts";

export interface AdminParts {
  readonly reply: SendReply;
  readonly scrape: Scraper;
  /** Whether the server accepts new connections. */
  readonly isReady: () => boolean;
  readonly log: Log;
}

/** The endpoints for operators. */
export function createAdmin({ reply, scrape, isReady, log }: AdminParts): Endpoint[] {
  const health = (
    path: "/livez" | "/readyz" | "/healthz",
    summary: string,
    isGood: () => boolean,
  ): Endpoint => {
    const handler: HttpHandler = (res, req) => {
      const good = isGood();
      const isHead = req.getMethod() === "head";
      reply(res, path, { status: good ? 200 : 503, body: good ? "ok\n" : "shutting down\n", isHead });
    };
    return {
      path,
      methods: ["GET", "HEAD"],
      summary,
      mount: (app) => app.get(path, handler).head(path, handler),
    };
  };

  const sharedScrape = shareScrapes(scrape);
  const metrics: HttpHandler = (res, req) => {
    const request = { accept: req.getHeader("accept"), acceptEncoding: req.getHeader("accept-encoding") };
    const isHead = req.getMethod() === "head";
    let isAborted = false;
    res.onAborted(() => {
      isAborted = true;
    });
    sharedScrape(request).then(
      ({ headers, body }) => {
        if (!isAborted) {
          reply(res, "/metrics", { status: 200, headers, body, isHead });
        }
      },
      (error: unknown) => {
        log.error({ err: error }, "scrape failed");
        if (!isAborted) {
          failScrape(res, reply, error);
        }
      },
    );
  };

  return [
    {
      path: "/metrics",
      methods: ["GET", "HEAD"],
      summary: "metrics for Prometheus, as text 0.0.4 or OpenMetrics 1.0",
      mount: (app) => app.get("/metrics", metrics).head("/metrics", metrics),
    },
    health("/livez", "200 while the process responds", () => true),
    health("/readyz", "200 while the server accepts connections, 503 once it shuts down", isReady),
    health("/healthz", "the same as /livez", () => true),
  ];
}

function failScrape(res: HttpResponse, reply: SendReply, error: unknown): void {
  reply(res, "/metrics", { status: 503, body: `Cannot collect the metrics: ${String(error)}\n` });
}
