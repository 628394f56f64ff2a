// TLS servers in this process, and clients that speak TLS to them.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import type { SocketConstructorOpts, TcpSocketConnectOpts } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { ConfigInput, EchoServer } from "../../src/index.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type Cleanup, startServer } from "./echo-server.ts";
import { inTime } from "./wait.ts";

export interface SecureServer {
  readonly server: EchoServer;
  readonly files: Certificates;
  readonly ca: Buffer;
}

/** Starts a server with its own certificate. */
export async function startSecureServer(
  t: Cleanup,
  options: ConfigInput | ((files: Certificates) => ConfigInput) = {},
): Promise<SecureServer> {
  const files = await makeCertificates(t);
  const given = typeof options === "function" ? options(files) : options;
  const server = await startServer(t, { tlsCert: files.cert, tlsKey: files.key, ...given });
  return { server, files, ca: readFileSync(files.ca) };
}

/** Connects, and waits until the handshake is done on this side. */
export async function connectTls(
  t: Cleanup,
  port: number,
  options: ConnectionOptions & Partial<TcpSocketConnectOpts & SocketConstructorOpts> = {},
): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await inTime(once(socket, "secureConnect"), "a TLS handshake", 30_000);
  socket.on("error", () => undefined);
  return socket;
}

/** The body of a GET over TLS. */
export function getSecure(url: string | undefined, options: ConnectionOptions = {}): Promise<string> {
  return inTime(
    new Promise((resolve, reject) => {
      get(url ?? "", { agent: false, rejectUnauthorized: false, ...options }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve(body)).on("error", reject);
      }).on("error", reject);
    }),
    `an answer from ${url}`,
    30_000,
  );
}
