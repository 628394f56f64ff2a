// Opens the port for clients: the uWS app itself, or Node's TLS in front of it.
import type { HttpResponse, TemplatedApp } from "uWebSockets.js";
import type { Config } from "../config/options.ts";
import { isTlsRelayed } from "../config/tls.ts";
import type { Stats } from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import { socketLimit } from "../system/resources.ts";
import type { Native } from "../system/uws.ts";
import { DescriptorGuard } from "./descriptor-guard.ts";
import { Listener } from "./listener.ts";

export interface EntranceParts {
  readonly native: Native;
  readonly app: TemplatedApp;
  readonly config: Config;
  readonly stats: Stats;
  readonly log: Log;
  /** Whether a new connection may stay open. */
  readonly accepts: (res: HttpResponse) => boolean;
  /** Shares the port with other processes. */
  readonly isShared: boolean;
  /** An inherited listening socket, for TLS in place of host and port. */
  readonly descriptor: number | undefined;
  /** Keys of TLS session tickets, if several processes share them. */
  readonly ticketKeys: Buffer | undefined;
}

export interface Entrance {
  readonly port: number;
  /** A WebSocket has closed, which uWS's filter does not report. */
  webSocketClosed(): void;
  /** Stops listening. */
  close(): void;
  /** Waits until the last bytes are sent after the app has closed its connections, at most `timeoutMs`. */
  finish(timeoutMs: number, force: AbortSignal): Promise<void>;
  /** Reads the TLS files again. */
  reload(): void;
  /** Expiry of the certificate in use, in seconds since 1970; undefined without TLS. */
  readonly certificateExpirySeconds: number | undefined;
}

/** @throws ListenError, ConfigError */
export function openEntrance(parts: EntranceParts): Promise<Entrance> {
  return isTlsRelayed(parts.config) ? openRelayed(parts) : openDirect(parts);
}

async function openDirect(parts: EntranceParts): Promise<Entrance> {
  const { native, app, config, stats, log, isShared, accepts } = parts;
  const listener = new Listener(native, app, {
    listener: "main",
    host: config.host,
    port: config.port,
    isShared,
  });
  await listener.open();
  const guard = new DescriptorGuard(socketLimit(), listener, stats, log);
  const changed = (res: HttpResponse, change: number): void => {
    if (change < 0) {
      guard.closed();
      return;
    }
    guard.opened();
    if (!accepts(res)) {
      res.close();
    }
  };
  app.filter((res, change) => changed(res, Number(change)));
  return {
    port: listener.port,
    webSocketClosed: () => guard.closed(),
    close() {
      guard.stop();
      listener.close();
    },
    finish: () => Promise.resolve(),
    reload: () => undefined,
    certificateExpirySeconds: undefined,
  };
}

async function openRelayed(parts: EntranceParts): Promise<Entrance> {
  const { TlsListener } = await import("./tls-listener.ts");
  const listener = new TlsListener(parts);
  await listener.open();
  return {
    port: listener.port,
    webSocketClosed: () => undefined,
    close: () => listener.close(),
    finish: (timeoutMs, force) => listener.finish(timeoutMs, force),
    reload: () => listener.reload(),
    get certificateExpirySeconds() {
      return listener.certificateExpirySeconds;
    },
  };
}
