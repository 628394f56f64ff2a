// Copies headers and address of a uWS request, which is invalid once its handler returns.
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { normalizeAddress } from "./client-address.ts";
import { relayedPeer } from "./relayed-peer.ts";

/** Request headers by lower-case name. Repeated ones are joined by commas (RFC 9110, section 5.3). */
export type RequestHeaders = Readonly<Record<string, string>>;

/** All headers by lower-case name; repeated ones are joined by commas (RFC 9110, section 5.3). */
export function readHeaders(req: HttpRequest): RequestHeaders {
  // No prototype: a header may be called "constructor".
  const headers: Record<string, string> = Object.create(null);
  req.forEach((name, value) => {
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  });
  return headers;
}

/**
 * Whether the client is still connected, for a response that is not polled: the system forgets the peer of a connection
 * that was reset, and the relay forgets a TLS client that has left.
 */
export function isConnected(res: HttpResponse): boolean {
  return relayedPeer(res) !== undefined || res.getRemoteAddress().byteLength > 0;
}

/** Address of the TCP peer in canonical form; uWS writes IPv4-mapped IPv6 addresses in full. */
export function peerAddress(res: HttpResponse): string {
  const relayed = relayedPeer(res);
  if (relayed !== undefined) {
    return relayed.address;
  }
  const text = Buffer.from(res.getRemoteAddressAsText()).toString("latin1");
  return normalizeAddress(text) ?? text;
}
