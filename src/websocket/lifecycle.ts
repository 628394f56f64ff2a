// Handles open and close of WebSocket connections: counts, lifetime, shutdown. Slow path.
import type { Config } from "../config/options.ts";
import {
  bump,
  connectionDurationBounds,
  countClose,
  observe,
  type Stats,
  slot,
} from "../metrics/counters.ts";
import type { Log } from "../system/log.ts";
import type { Admission } from "./admission.ts";
import type { Backpressure } from "./backpressure.ts";
import { connectionOf, type EchoSocket } from "./connection.ts";

export interface Lifecycle {
  open(ws: EchoSocket): void;
  close(ws: EchoSocket, code: number): void;
  isOpen(ws: EchoSocket): boolean;
}

export interface LifecycleParts {
  readonly config: Pick<Config, "maxLifetime">;
  readonly stats: Stats;
  readonly admission: Admission;
  readonly backpressure: Backpressure;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Every open connection, for shutdown. */
  readonly connections: Set<EchoSocket>;
  readonly onClosed: () => void;
}

/** Share of --max-lifetime by which a connection may end earlier, so that connections of one burst do not end together. */
const lifetimeJitter = 0.1;

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { config, stats, admission, backpressure, log, now, connections } = parts;
  // The fields of a line that is not written would still be allocated.
  const isLogged = log.isLevelEnabled("debug");

  return {
    open(ws) {
      const connection = connectionOf(ws);
      connections.add(ws);
      bump(stats, slot.connectionsOpened);
      stats[slot.connections] = connections.size;
      if (config.maxLifetime > 0) {
        const lifetimeMs = config.maxLifetime * (1 - Math.random() * lifetimeJitter);
        connection.lifetime = setTimeout(
          () => backpressure.closeGracefully(ws, 1001, "lifetime"),
          lifetimeMs,
        ).unref();
      }
      if (isLogged) {
        log.debug({ address: connection.address }, "connection opened");
      }
    },

    close(ws, code) {
      const connection = connectionOf(ws);
      clearTimeout(connection.lifetime);
      connections.delete(ws);
      backpressure.forget(ws);
      admission.release(connection.address);
      parts.onClosed();
      const seconds = (now() - connection.openedAt) / 1000;
      stats[slot.connections] = connections.size;
      countClose(stats, code);
      observe(stats, slot.connectionDuration, slot.connectionDurationSum, connectionDurationBounds, seconds);
      if (isLogged) {
        log.debug({ address: connection.address, code, seconds }, "connection closed");
      }
    },

    isOpen: (ws) => connections.has(ws),
  };
}
