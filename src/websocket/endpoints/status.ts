// /status/<code>: answers a handshake or a GET with this status.
import { STATUS_CODES } from "node:http";
import { onDemand } from "./endpoint.ts";
import type { Asked } from "./session.ts";

export const status = onDemand("status", {
  refuse: (_request, asked) => ({ reason: "asked", ...answer(asked) }),
  answer: (_request, asked) => answer(asked),
});

/** Statuses without a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const bodiless = new Set([204, 205, 304]);

function answer({ code = 0, retry_after }: Asked<"status">) {
  return {
    status: code,
    headers: retry_after === undefined ? {} : { "Retry-After": `${Math.ceil(retry_after / 1000)}` },
    body: bodiless.has(code) ? "" : `${code} ${STATUS_CODES[code] ?? ""}\n`,
  };
}
