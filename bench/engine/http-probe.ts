// Describes the request of an HTTP load, and sends it once before the load to check the target.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Ending } from "./connection.ts";
import { endingOf } from "./failure.ts";

/** The request of an HTTP load. */
export interface HttpLoad {
  /** http: or https:, whose certificate autocannon does not check. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be ASCII to be verified. */
  readonly body: string | undefined;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly pipelining: number;
  /** Requests per second on each connection at most; undefined for as many as are answered. */
  readonly requestsPerSecond?: number | undefined;
  readonly timeoutMs: number;
  /** How each response body is compared with the request's. */
  readonly verify: "none" | "length" | "full";
}

const bodyLimitBytes = 256 * 1024 * 1024;

/** Sends one request. @returns the failure, or undefined if the target answers correctly */
export function probe(load: HttpLoad): Promise<Ending | undefined> {
  const { url, method, headers, body, timeoutMs } = load;
  const { host, protocol } = new URL(url);
  const request = protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    const sent = request(
      url,
      { method, headers, timeout: timeoutMs, agent: false, rejectUnauthorized: false },
      (response) => {
        let received = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          received = received.length < bodyLimitBytes ? received + text : received;
        });
        response.on("end", () => resolve(problemOf(load, response.statusCode ?? 0, received)));
        response.on("error", (error) => resolve(endingOf(error, "open", host)));
      },
    );
    sent.on("timeout", () => {
      sent.destroy();
      resolve({ kind: "timeout", detail: `no response from ${host} within ${timeoutMs} ms` });
    });
    sent.on("error", (error) => resolve(endingOf(error, "connecting", host)));
    sent.end(body);
  });
}

function problemOf(
  { url, method, body = "", verify }: HttpLoad,
  status: number,
  received: string,
): Ending | undefined {
  if (status < 200 || status > 299) {
    const [firstLine = ""] = received.trim().split("\n");
    return {
      kind: `status-${status}`,
      detail: `${method} ${url} was answered with ${status}${firstLine === "" ? "" : `: ${firstLine.slice(0, 200)}`}`,
    };
  }
  if (verify === "none" || received === body) {
    return undefined;
  }
  if (verify === "length" && received.length === body.length) {
    return undefined;
  }
  return {
    kind: "wrong-body",
    detail: `${method} ${url} does not return the body: ${received.length} characters instead of ${body.length}`,
  };
}
