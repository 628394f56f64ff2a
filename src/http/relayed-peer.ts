// Maps relayed connections to the clients of the TLS relay. uWS sees all of them on one Unix socket, and stores a
// connection's token as its "proxied address" (PROXY protocol v2).
import type { HttpResponse } from "uWebSockets.js";
import type { TLSSocket } from "node:tls";
import { lazily } from "../system/lazy-builtins.ts";

/** A client whose TLS is terminated in this process. */
export interface RelayedPeer {
  /** Address of the TCP peer, in canonical form. */
  readonly address: string;
  readonly socket: TLSSocket;
  /** Whether it is an HTTP/2 stream, which the app sees as an HTTP/1.1 connection. */
  readonly isHttp2: boolean;
  /** Requests on this connection so far. */
  requests: number;
}

const tokenBytes = 16;
// PROXY protocol v2, section 2.2: signature, version 2 and command PROXY, TCP over IPv6, 36 bytes of addresses and ports.
const head = Buffer.from("0d0a0d0a000d0a515549540a21210024", "hex");
const rest = Buffer.alloc(36 - tokenBytes);

const peers = new Map<string, RelayedPeer>();

/** A client that handlers can find until `forget`. */
export interface Registration {
  /** Bytes to send before the client's; uWS parses them only in one read with a request line. */
  readonly preface: Buffer;
  forget(): void;
}

/**
 * Registers a client. The preface contains a random token in place of an address: uWS also accepts a preface that a
 * client sends before a later request, but no client can guess the token of another.
 */
export function registerPeer(peer: RelayedPeer): Registration {
  const token = lazily.crypto().randomBytes(tokenBytes);
  const key = token.toString("latin1");
  peers.set(key, peer);
  return { preface: Buffer.concat([head, token, rest]), forget: () => peers.delete(key) };
}

/** The client of a relayed connection; undefined for other connections, and if the client sent a preface itself. */
export function relayedPeer(res: HttpResponse): RelayedPeer | undefined {
  if (peers.size === 0) {
    return undefined;
  }
  const token = res.getProxiedRemoteAddress();
  return token.byteLength === tokenBytes ? peers.get(Buffer.from(token).toString("latin1")) : undefined;
}
