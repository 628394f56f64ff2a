// Reads the opening handshake as RFC 6455 defines it; uWS is more lenient. Pure: headers in, a refusal or a request out.

import { commaList } from "../config/option.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { tokenPattern } from "../lib/token.ts";
import type { RejectionReason } from "../metrics/counters.ts";

/** Why a request is not upgraded, and what to answer. */
export interface Refusal {
  readonly reason: RejectionReason;
  /** 0 ends the connection without an answer. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the client of a proper handshake asks for. */
export interface Asked {
  readonly refusal?: undefined;
  readonly key: string;
  /** Sub-protocols, in the client's order of preference. */
  readonly subprotocols: readonly string[];
  /** `Sec-WebSocket-Extensions` as it came, or the empty string. */
  readonly extensions: string;
}

// 16 octets in base64 are 22 characters and two of padding (RFC 4648, section 4).
const sixteenOctets = /^[A-Za-z0-9+/]{22}==$/;

const noSubprotocols: readonly string[] = [];

const upgradeHeaders = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" };

/** Reads a request as RFC 6455, section 4.2.1, requires: what it asks for, or why it is no handshake. */
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
 * @param spoken ours, best first; `any` takes the client's first offer; `none` never chooses
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
    return {
      reason: "not_websocket",
      status: 426,
      headers: upgradeHeaders,
      body: "This is a WebSocket endpoint: connect with new WebSocket(url), or POST a body to have it echoed over HTTP.\n",
    };
  }
  if (headers["sec-websocket-version"] !== "13") {
    return {
      reason: "bad_version",
      status: 426,
      headers: upgradeHeaders,
      body: "This server supports only version 13 of the WebSocket protocol (RFC 6455): send Sec-WebSocket-Version: 13.\n",
    };
  }
  if (!sixteenOctets.test(key)) {
    return {
      reason: "bad_key",
      status: 400,
      body: "Sec-WebSocket-Key must be 16 octets in base64 (RFC 6455, section 4.1).\n",
    };
  }
  if (subprotocols.some((name) => !tokenPattern.test(name))) {
    return {
      reason: "bad_subprotocol",
      status: 400,
      body: "Sec-WebSocket-Protocol must be a list of tokens (RFC 6455, section 4.1).\n",
    };
  }
  return undefined;
}

function hasToken(header: string | undefined, wanted: string): boolean {
  // What nearly every client sends, without taking it apart.
  if (header?.toLowerCase() === wanted) {
    return true;
  }
  return (header ?? "").split(",").some((item) => item.trim().toLowerCase() === wanted);
}
