// Starts the command over http and https, so that one test covers both.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { makeCertificates } from "./certificates.ts";
import { type Cleanup, type Spawned, spawnServer } from "./echo-server.ts";

export const schemes = ["http", "https"] as const;
export type Scheme = (typeof schemes)[number];

export interface Origin extends Spawned {
  /** The metrics page, which the admin port has. */
  readonly metrics: string;
  /** Connects, and reads nothing until resumed. */
  dial(): Promise<Socket>;
}

/** Arguments that make the command serve a scheme. */
export async function schemeArgs(t: Cleanup, scheme: Scheme): Promise<string[]> {
  const admin = ["--admin-host", "127.0.0.1", "--admin-port", "0"];
  if (scheme === "http") {
    return admin;
  }
  const { cert, key } = await makeCertificates(t);
  return [...admin, "--tls-cert", cert, "--tls-key", key];
}

/** Starts the command over a scheme. */
export async function spawnOver(t: Cleanup, scheme: Scheme, args: readonly string[] = []): Promise<Origin> {
  return originOf(t, scheme, await spawnServer(t, [...(await schemeArgs(t, scheme)), ...args]));
}

/** A command that was started with `schemeArgs`. */
export function originOf<S extends Spawned>(t: Cleanup, scheme: Scheme, server: S): S & Origin {
  const { hostname, port } = new URL(`http://${server.authority}`);
  return {
    ...server,
    metrics: server.urls.find((url) => url.endsWith("/metrics")) ?? "",
    async dial() {
      const address = { host: hostname, port: Number(port) };
      const socket =
        scheme === "http" ? connect(address) : connectTls({ ...address, rejectUnauthorized: false });
      t.after(() => socket.destroy());
      await once(socket, scheme === "http" ? "connect" : "secureConnect");
      socket.on("error", () => undefined);
      return socket.pause();
    },
  };
}
