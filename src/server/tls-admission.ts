// Which TCP connections may start a TLS handshake: decided before it, which costs a hundred times what a message costs.
import type { Config } from "../config/options.ts";
import { trustNetworks } from "../http/client-address.ts";
import type { TlsFailure } from "../metrics/counters.ts";
import { descriptorLimit, reservedDescriptors } from "../system/resources.ts";
import { createAdmission } from "../websocket/admission.ts";

export interface TlsAdmission {
  /** Refuses, or counts the connection until `release`. */
  admit(address: string, open: number): TlsFailure | undefined;
  release(address: string): void;
}

/** Connections beyond the limits of WebSockets, for HTTP: the page, health, scrapes, and the answer to who is refused. */
const httpAllowance = 64;
const httpAllowancePerIp = 8;
/** The TCP socket, and both ends of the Unix socket to the app. */
const descriptorsPerClient = 3;

/** Clients that the descriptor limit has room for. */
export function maxClients(): number {
  return Math.floor((descriptorLimit() - reservedDescriptors) / descriptorsPerClient);
}

/**
 * The limits of WebSocket admission, for TCP connections. Those of one address do not hold for trusted proxies, whose
 * clients can be told apart only after the handshake.
 * @param now milliseconds of a clock that never goes back
 */
export function createTlsAdmission(config: Config, now: () => number): TlsAdmission {
  const maxOpen = maxClients();
  const trusts = trustNetworks(config.trustProxy);
  const limits = createAdmission(
    {
      ...config,
      maxConnections: config.maxConnections + httpAllowance,
      maxConnectionsPerIp:
        config.maxConnectionsPerIp > 0 ? config.maxConnectionsPerIp + httpAllowancePerIp : 0,
      allowOrigin: "any",
    },
    now,
  );
  return {
    admit(address, open) {
      if (open >= maxOpen) {
        return "descriptors";
      }
      if (trusts(address)) {
        return open >= config.maxConnections + httpAllowance ? "capacity" : undefined;
      }
      return limits.admit({ address, origin: undefined })?.reason as TlsFailure | undefined;
    },
    release(address) {
      if (!trusts(address)) {
        limits.release(address);
      }
    },
  };
}
