// The opening handshake as RFC 6455 wants it, where uWS is lenient. Pure: headers in, a decision out.
import type { RejectionReason } from "../metrics/counters.ts";

/** The request headers that decide a handshake. Repeated ones are joined by commas (RFC 9110, section 5.3). */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Why a request is not upgraded, and what to answer. */
export interface Refusal {
  readonly reason: RejectionReason;
  readonly status: 400 | 403 | 426 | 429 | 503;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** RFC 6455, section 4.1: a sub-protocol is a token. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// 16 octets in base64 are 22 characters and two of padding (RFC 4648, section 4).
const sixteenOctets = /^[A-Za-z0-9+/]{22}==$/;

const upgradeHeaders = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" };

/**
 * Holds a request against RFC 6455, section 4.2.1.
 * @returns undefined when it is a proper WebSocket handshake
 */
export function checkHandshake(headers: RequestHeaders): Refusal | undefined {
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
      body: "Only version 13 of the WebSocket protocol is spoken here (RFC 6455): send Sec-WebSocket-Version: 13.\n",
    };
  }
  if (!sixteenOctets.test(headers["sec-websocket-key"] ?? "")) {
    return {
      reason: "bad_key",
      status: 400,
      body: "Sec-WebSocket-Key must be 16 octets in base64 (RFC 6455, section 4.1).\n",
    };
  }
  if (offeredSubprotocols(headers).some((name) => !token.test(name))) {
    return {
      reason: "bad_subprotocol",
      status: 400,
      body: "Sec-WebSocket-Protocol must be a list of tokens (RFC 6455, section 4.1).\n",
    };
  }
  return undefined;
}

/**
 * Picks the sub-protocol of a connection.
 * @param spoken ours, best first; `any` takes the client's first offer; `none` never chooses
 * @returns the empty string for none (RFC 6455, section 4.2.2, item 5.5)
 */
export function chooseSubprotocol(
  headers: RequestHeaders,
  spoken: "any" | "none" | readonly string[],
): string {
  if (spoken === "none") return "";
  const offered = offeredSubprotocols(headers);
  if (spoken === "any") return offered[0] ?? "";
  return spoken.find((name) => offered.includes(name)) ?? "";
}

/**
 * Picks the first permessage-deflate offer that is valid and that uWS can keep, and drops all others. uWS would agree to
 * any: to impossible parameters, and to some that its answer then leaves out, which the client has to take for a failed
 * handshake (RFC 7692, sections 7.1.1.1 and 7.1.2.1).
 * @returns an extension header for uWS, or the empty string to decline (RFC 7692, section 5.1)
 */
export function chooseDeflateOffer(headers: RequestHeaders, compressor: "shared" | "dedicated"): string {
  for (const offer of splitQuoted(headers["sec-websocket-extensions"] ?? "", ",")) {
    const parameters = readDeflateOffer(offer);
    const accepted = parameters && acceptDeflateOffer(parameters, compressor);
    if (accepted !== undefined) return accepted;
  }
  return "";
}

type DeflateParameters = ReadonlyMap<string, string | undefined>;

// What uWS is to agree to. client_max_window_bits may always be left out of an answer: our window is the largest.
function acceptDeflateOffer(
  offer: DeflateParameters,
  compressor: "shared" | "dedicated",
): string | undefined {
  const accepted = ["permessage-deflate"];
  if (offer.has("client_no_context_takeover")) accepted.push("client_no_context_takeover");
  const windowBits = Number(offer.get("server_max_window_bits"));
  switch (compressor) {
    case "shared":
      // It never keeps a context, and says so; its window is the largest, and it does not say so.
      if (offer.has("server_max_window_bits")) return undefined;
      break;
    case "dedicated":
      // It always keeps its context.
      if (offer.has("server_no_context_takeover")) return undefined;
      if (offer.has("server_max_window_bits")) {
        // zlib has no window of 8 bits for raw deflate, and uWS leaves 15 out of its answer: the next smaller is as good.
        if (windowBits < 9) return undefined;
        accepted.push(`server_max_window_bits=${Math.min(windowBits, 14)}`);
      }
      break;
  }
  return accepted.join("; ");
}

function readDeflateOffer(offer: string): DeflateParameters | undefined {
  const [name, ...parameters] = splitQuoted(offer, ";");
  if (name?.toLowerCase() !== "permessage-deflate") return undefined;
  const read = new Map<string, string | undefined>();
  for (const parameter of parameters) {
    const match = /^([^=\s]+)(?:\s*=\s*(?:"([^"]*)"|([^"\s]*)))?$/.exec(parameter);
    const key = match?.[1]?.toLowerCase();
    const value = match?.[2] ?? match?.[3];
    if (key === undefined || read.has(key) || !isDeflateParameter(key, value)) return undefined;
    read.set(key, value);
  }
  return read;
}

// RFC 7692, section 7.1.
function isDeflateParameter(key: string, value: string | undefined): boolean {
  switch (key) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "client_max_window_bits":
      return value === undefined || /^([89]|1[0-5])$/.test(value);
    case "server_max_window_bits":
      return value !== undefined && /^([89]|1[0-5])$/.test(value);
    default:
      return false;
  }
}

function offeredSubprotocols(headers: RequestHeaders): string[] {
  return (headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function hasToken(header: string | undefined, wanted: string): boolean {
  return (header ?? "").split(",").some((item) => item.trim().toLowerCase() === wanted);
}

// Splits at a separator outside quotes; empty elements of a list do not count (RFC 9110, section 5.6.1).
function splitQuoted(text: string, separator: "," | ";"): string[] {
  const pieces = separator === "," ? text.match(/(?:"[^"]*"|[^,])+/g) : text.match(/(?:"[^"]*"|[^;])+/g);
  return (pieces ?? []).map((piece) => piece.trim()).filter((piece) => piece !== "");
}
