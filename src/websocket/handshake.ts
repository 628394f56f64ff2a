// Parses the opening handshake strictly by RFC 6455; uWS is more lenient. Pure.

import { commaList } from "../config/option.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { tokenPattern } from "../lib/token.ts";
import { type Refusal, refuse } from "./refusals.ts";

/** The content of a valid handshake. */
export interface Asked {
  readonly refusal?: undefined;
  readonly key: string;
  /** Sub-protocols, in the client's order of preference. */
  readonly subprotocols: readonly string[];
  /** `Sec-WebSocket-Extensions`, or the empty string. */
  readonly extensions: string;
}

// 16 bytes in base64 are 22 characters and two of padding (RFC 4648, section 4).
const sixteenBytes = /^[A-Za-z0-9+/]{22}==$/;

const noSubprotocols: readonly string[] = [];

const upgradeHeaders = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" };

/** Parses a handshake as RFC 6455, section 4.2.1, requires. Returns its content, or a refusal. */
export function readHandshake(headers: RequestHeaders): Asked | { readonly refusal: Refusal } {
  const key = headers["sec-websocket-key"] ?? "";
  const offered = headers["sec-websocket-protocol"];
  const subprotocols = offered === undefined ? noSubprotocols : commaList(offered);
  const refusal = findRefusal(headers, key, subprotocols);
  return refusal === undefined
    ? { key, subprotocols, extensions: headers["sec-websocket-extensions"] ?? "" }
    : { refusal };
}

/**
 * Picks the sub-protocol of a connection.
 * @param offered by the client, in its order of preference
 * @param spoken the server's, best first; `any` selects the client's first offer, `none` selects none
 * @returns the empty string for none (RFC 6455, section 4.2.2, item 5.5)
 */
export function chooseSubprotocol(
  offered: readonly string[],
  spoken: "any" | "none" | readonly string[],
): string {
  switch (spoken) {
    case "none":
      return "";
    case "any":
      return offered[0] ?? "";
    default:
      return spoken.find((name) => offered.includes(name)) ?? "";
  }
}

function findRefusal(
  headers: RequestHeaders,
  key: string,
  subprotocols: readonly string[],
): Refusal | undefined {
  if (!hasToken(headers["upgrade"], "websocket") || !hasToken(headers["connection"], "upgrade")) {
    return refuse(
      "not_websocket",
      "This is a WebSocket endpoint: connect with new WebSocket(url), or POST a body to have it echoed over HTTP.\n",
      upgradeHeaders,
    );
  }
  if (headers["sec-websocket-version"] !== "13") {
    return refuse(
      "bad_version",
      "This server supports only version 13 of the WebSocket protocol (RFC 6455): send Sec-WebSocket-Version: 13.\n",
      upgradeHeaders,
    );
  }
  if (!sixteenBytes.test(key)) {
    return refuse("bad_key", "Sec-WebSocket-Key must be 16 bytes in base64 (RFC 6455, section 4.1).\n");
  }
  if (subprotocols.some((name) => !tokenPattern.test(name))) {
    return refuse(
      "bad_subprotocol",
      "Sec-WebSocket-Protocol must be a list of tokens (RFC 6455, section 4.1).\n",
    );
  }
  return undefined;
}

function hasToken(header: string | undefined, wanted: string): boolean {
  // The value that nearly every client sends, without splitting it.
  if (header?.toLowerCase() === wanted) {
    return true;
  }
  return (header ?? "").split(",").some((item) => item.trim().toLowerCase() === wanted);
}
