// Opens a listening socket with SO_REUSEPORT for a child process to inherit. Node itself sets that option only
// from 23.1 on; uWS always does.
import { readdirSync, readlinkSync } from "node:fs";
import type { Native } from "../system/uws.ts";
import { ListenError, Listener, listenErrorFor } from "./listener.ts";

export interface SharedDescriptor {
  readonly fd: number;
  /** Closes this process's copy. */
  close(): void;
}

/**
 * Opens the socket. Fork the child and close this copy in the same turn of the event loop, or this process accepts
 * connections.
 * @throws ListenError
 */
export function openSharedDescriptor(native: Native, host: string, port: number): SharedDescriptor {
  if (process.platform !== "linux") {
    throw new ListenError(
      "ERR_LISTEN",
      "main",
      "TLS with --workers or --reuse-port needs Linux, or --tls-engine uws.",
      undefined,
    );
  }
  const app = native.App();
  const listener = new Listener(native, app, { listener: "main", host, port, isShared: true });
  const before = sockets();
  const fd = listener.tryOpen()
    ? [...sockets()].find(([number, inode]) => before.get(number) !== inode)?.[0]
    : undefined;
  const close = (): void => {
    listener.close();
    app.close();
  };
  if (fd === undefined) {
    close();
    throw listenErrorFor({ listener: "main", host, port }, undefined);
  }
  return { fd, close };
}

/** The inode of each socket of this process, by descriptor. */
function sockets(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      if (target.startsWith("socket:")) {
        found.set(Number(name), target);
      }
    } catch {
      // The descriptor that listed the folder is already closed.
      found.delete(Number(name));
    }
  }
  return found;
}
