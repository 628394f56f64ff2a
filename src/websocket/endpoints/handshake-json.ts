// The handshake as JSON, for /inspect by upgrade and greet=inspect. WebSocket has no CORS: what a foreign page must not read is left out.
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

/** Whether a page of another origin asks, which no list names. Programs send no Origin. */
export function isForeign(headers: RequestHeaders, allowed: "any" | readonly string[]): boolean {
  const origin = headers["origin"];
  if (origin === undefined) {
    return false;
  }
  const host = URL.canParse(origin) ? new URL(origin).host : undefined;
  return host !== headers["host"] && !(allowed !== "any" && allowed.includes(origin));
}
