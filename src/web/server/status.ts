// Describes whether the server's figures can be read, and why not. Pure.

import type { PageAddress } from "../websocket/target.ts";
import type { Rates, Reading } from "./figures.ts";

/** How the last attempt to read the numbers ended. */
export type FeedStatus =
  | { readonly kind: "live"; readonly reading: Reading; readonly rates: Rates | undefined }
  /** The server answers, but not with numbers: 404 when --admin-port moved them. */
  | { readonly kind: "refused"; readonly httpStatus: number }
  | { readonly kind: "unreachable" }
  | { readonly kind: "unreadable"; readonly problem: string };

export interface StatusWords {
  readonly badge: string;
  readonly state: "live" | "hidden" | "unreachable";
  /** Empty when all is well. */
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
        "This port does not serve /metrics (404). The server was probably started with --admin-port, which moves its " +
        "numbers to a port of their own. Console, flood and snippets work all the same.",
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
      message: `What GET /metrics answers is not understood. ${status.problem}`,
    };
  }
  if (page.protocol === "file:") {
    return {
      badge: "Cross-origin",
      state: "hidden",
      message:
        "This page was opened from a file, so to the browser the server is another origin, whose /metrics a script may " +
        "not read (or nothing listens there). Open the page from the server itself, http://localhost:9998/, to see its numbers.",
    };
  }
  return {
    badge: "No answer",
    state: "unreachable",
    message: "The server does not answer: it is down, restarting, or out of reach. This page keeps trying.",
  };
}
