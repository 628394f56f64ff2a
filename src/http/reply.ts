// Writes one whole HTTP response, and counts it. It knows no endpoint.

import type { HttpResponse } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import { countHttp, type HttpCode, type Route, type Stats } from "../metrics/counters.ts";

export interface Reply {
  readonly status: HttpCode;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Answers HEAD: the headers, with the length that the body would have, and no body. */
  readonly isHead?: boolean;
}

/** Sends a reply and counts it under its route. */
export type SendReply = (res: HttpResponse, route: Route, reply: Reply) => void;

/** @param stats where responses are counted */
export function createReply(stats: Stats): SendReply {
  return (res, route, reply) => {
    countHttp(stats, route, reply.status);
    res.cork(() => {
      res.writeStatus(`${reply.status} ${STATUS_CODES[reply.status] ?? ""}`);
      const headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
        ...reply.headers,
      };
      for (const [name, value] of Object.entries(headers)) {
        res.writeHeader(name, value);
      }
      // endWithoutBody(length) never marks the response as done, and uWS then aborts the process: the length is written
      // as a header of its own.
      if (reply.isHead === true) {
        res.writeHeader("Content-Length", `${Buffer.byteLength(reply.body)}`);
      }
      if (reply.isHead === true || reply.status === 304) {
        res.endWithoutBody();
      } else {
        res.end(reply.body);
      }
    });
  };
}

export function json(value: unknown): Pick<Reply, "headers" | "body"> {
  return {
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}
