// Explains why the server's metrics cannot be read. Pure.

import type { PageAddress } from "../websocket/target.ts";
import type { Rates, Reading } from "./figures.ts";

/** The outcome of the last attempt to read the metrics. */
export type FeedStatus =
  | { readonly kind: "live"; readonly reading: Reading; readonly rates: Rates | undefined }
  /** The server responds without metrics, such as 404 with --admin-port. */
  | { readonly kind: "refused"; readonly httpStatus: number }
  | { readonly kind: "unreachable" }
  | { readonly kind: "unreadable"; readonly problem: string };

export interface StatusWords {
  readonly badge: string;
  readonly state: "live" | "hidden" | "unreachable";
  /** Empty if the metrics can be read. */
  readonly message: string;
}

export function describeStatus(status: FeedStatus, page: PageAddress): StatusWords {
  if (status.kind === "live") {
    return { badge: "Live", state: "live", message: "" };
  }
  if (status.kind === "refused" && status.httpStatus === 404) {
    return {
      badge: "Not here",
      state: "hidden",
      message:
        "This port does not serve /metrics (404). The server probably runs with --admin-port, which moves its " +
        "metrics to another port. Console, flood and snippets still work.",
    };
  }
  if (status.kind === "refused") {
    return {
      badge: `HTTP ${status.httpStatus}`,
      state: "hidden",
      message: `GET /metrics was answered with ${status.httpStatus}.`,
    };
  }
  if (status.kind === "unreadable") {
    return {
      badge: "Unreadable",
      state: "hidden",
      message: `The response of GET /metrics cannot be parsed. ${status.problem}`,
    };
  }
  if (page.protocol === "file:") {
    return {
      badge: "Cross-origin",
      state: "hidden",
      message:
        "This page was opened from a file, so for the browser the server is another origin, whose /metrics a script may " +
        "not read (or nothing listens there). Open the page from the server, http://localhost:9998/, to see its metrics.",
    };
  }
  return {
    badge: "No answer",
    state: "unreachable",
    message: "The server does not respond: it is down, restarting, or unreachable. This page keeps trying.",
  };
}
