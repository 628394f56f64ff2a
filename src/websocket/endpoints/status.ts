// /status/<code>: a handshake or a GET that is answered with this status.
import { STATUS_CODES } from "node:http";
import { onDemand } from "./endpoint.ts";
import type { Asked } from "./session.ts";

export const status = onDemand("status", {
  refuse: (_request, asked) => ({ reason: "asked", ...answer(asked) }),
  answer: (_request, asked) => answer(asked),
});

function answer({ code = 0, retry_after }: Asked<"status">) {
  return {
    status: code,
    headers: retry_after === undefined ? {} : { "Retry-After": `${Math.ceil(retry_after / 1000)}` },
    body: `${code} ${STATUS_CODES[code] ?? ""}\n`,
  };
}
