// Formats the handshake as JSON, for /inspect over WebSocket and greet=inspect. WebSocket has no CORS, so it omits what a
// foreign page must not read.
import type { RequestHeaders } from "../../http/headers.ts";
import type { RequestDescription } from "../../http/inspect.ts";
import type { Negotiated } from "../upgrade.ts";

const secrets = new Set(["cookie", "authorization", "proxy-authorization"]);

/** @param hidden further headers that are never shown, in lower case */
export function describeHandshake(
  request: RequestDescription,
  negotiated: Negotiated,
  hidden: readonly string[],
): string {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !secrets.has(name) && !hidden.includes(name)),
  );
  return JSON.stringify(
    {
      ...request,
      headers,
      subprotocol: negotiated.subprotocol === "" ? null : negotiated.subprotocol,
      extensions: negotiated.extensions === "" ? null : negotiated.extensions,
    },
    null,
    2,
  );
}

/** Whether the request comes from a page of another, unlisted origin. Programs send no Origin. */
export function isForeign(headers: RequestHeaders, allowed: "any" | readonly string[]): boolean {
  const origin = headers["origin"];
  if (origin === undefined) {
    return false;
  }
  const host = URL.canParse(origin) ? new URL(origin).host : undefined;
  return host !== headers["host"] && !(allowed !== "any" && allowed.includes(origin));
}
