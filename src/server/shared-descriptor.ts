// A listening socket that shares its port (SO_REUSEPORT), for a child process to inherit. Node sets that option itself only
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
 * Opens the socket. The child must inherit it, and this copy be closed, before the event loop turns, or this process would
 * accept connections.
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
      // The descriptor that listed the folder is closed by now.
      found.delete(Number(name));
    }
  }
  return found;
}
