// Connects a socket to a target: TCP for ws:, TLS for wss:.

import net from "node:net";
import tls from "node:tls";
import type { Endpoint } from "./connection.ts";

/** What it takes to reach a target. */
export type Route = Pick<Endpoint, "url" | "caPem" | "insecure">;

/** What to call on the way. */
export interface SocketEvents {
  /** TCP is up; for wss:, TLS follows. */
  readonly onConnect: () => void;
  /** The handshake can be sent. */
  readonly onReady: () => void;
}

/** @param options further options of net.connect, such as `localAddress` or `onread` */
export function connectSocket(
  { url: address, caPem, insecure }: Route,
  options: Pick<net.TcpSocketConnectOpts, "localAddress" | "onread">,
  { onConnect, onReady }: SocketEvents,
): net.Socket {
  const url = new URL(address);
  const isSecure = url.protocol === "wss:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const all = { host, port: Number(url.port === "" ? (isSecure ? 443 : 80) : url.port), ...options };
  const socket = isSecure
    ? tls.connect(
        {
          ...all,
          ALPNProtocols: ["http/1.1"],
          rejectUnauthorized: !insecure,
          ...(caPem === undefined ? {} : { ca: caPem }),
          ...(net.isIP(host) === 0 ? { servername: host } : {}),
        },
        onReady,
      )
    : net.connect(all);
  socket.once("connect", onConnect);
  if (!isSecure) {
    socket.once("connect", onReady);
  }
  return socket;
}
