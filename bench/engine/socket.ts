// Connects a socket to a target: TCP for ws:, TLS for wss:.

import net from "node:net";
import tls from "node:tls";
import { hostOf, type Route, routeOptions } from "./route.ts";

/** What to call on the way. */
export interface SocketEvents {
  /** TCP is up; for wss:, TLS follows. */
  readonly onConnect: () => void;
  /** The handshake can be sent. */
  readonly onReady: () => void;
}

/** @param options further options of net.connect, such as `localAddress` or `onread` */
export function connectSocket(
  { url: address, ...route }: Route & { readonly url: string },
  options: Pick<net.TcpSocketConnectOpts, "localAddress" | "onread">,
  { onConnect, onReady }: SocketEvents,
): net.Socket {
  const url = new URL(address);
  const isSecure = url.protocol === "wss:";
  const host = hostOf(address);
  const { lookup, ...trust } = routeOptions(route);
  const all = {
    host,
    port: Number(url.port === "" ? (isSecure ? 443 : 80) : url.port),
    ...options,
    ...(lookup === undefined ? {} : { lookup }),
  };
  const socket = isSecure
    ? tls.connect(
        {
          ...all,
          ALPNProtocols: ["http/1.1"],
          ...(net.isIP(host) === 0 ? { servername: host } : {}),
          ...trust,
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
