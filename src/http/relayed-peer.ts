// The clients behind the TLS relay, by the token that opens each relayed connection. To uWS they all come from one Unix
// socket; it keeps the token as the connection's "proxied address" (PROXY protocol v2).
import type { HttpResponse } from "uWebSockets.js";
import { randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** A client whose TLS ends in this process. */
export interface RelayedPeer {
  /** Address of the TCP peer, in the normal spelling. */
  readonly address: string;
  readonly socket: TLSSocket;
  /** Whether it is a stream of HTTP/2, which the app sees as a connection of HTTP/1.1. */
  readonly isHttp2: boolean;
}

const tokenBytes = 16;
// PROXY protocol v2, section 2.2: signature, version 2 and command PROXY, TCP over IPv6, 36 bytes of addresses and ports.
const head = Buffer.from("0d0a0d0a000d0a515549540a21210024", "hex");
const rest = Buffer.alloc(36 - tokenBytes);

const peers = new Map<string, RelayedPeer>();

/** A client that is known to the handlers until `forget`. */
export interface Registration {
  /** The bytes before the first of the client's; uWS understands them only in one read with a request line. */
  readonly preface: Buffer;
  forget(): void;
}

/**
 * Makes a client known. The token in the preface stands where an address would, and is random: uWS also takes a preface
 * that a client sends before a later request, but no client can name a connection that is not its own.
 */
export function registerPeer(peer: RelayedPeer): Registration {
  const token = randomBytes(tokenBytes);
  const key = token.toString("latin1");
  peers.set(key, peer);
  return { preface: Buffer.concat([head, token, rest]), forget: () => peers.delete(key) };
}

/** The client of a relayed connection; undefined for any other, and for one whose client sent a preface of its own. */
export function relayedPeer(res: HttpResponse): RelayedPeer | undefined {
  if (peers.size === 0) {
    return undefined;
  }
  const token = res.getProxiedRemoteAddress();
  return token.byteLength === tokenBytes ? peers.get(Buffer.from(token).toString("latin1")) : undefined;
}
