// Decides which TCP connections may start a TLS handshake, which costs a hundred times as much as a message.
import type { Config } from "../config/options.ts";
import { clientGroup, trustNetworks } from "../http/client-address.ts";
import type { TlsFailure } from "../metrics/counters.ts";
import { descriptorLimit, reservedDescriptors } from "../system/resources.ts";
import { createAdmission } from "../websocket/admission.ts";

export interface TlsAdmission {
  /**
   * Refuses, or counts the connection until `release`.
   * @param open connected clients, WebSockets included
   * @param webSockets those that have opened a WebSocket
   */
  admit(address: string, open: number, webSockets: number): TlsFailure | undefined;
  release(address: string): void;
}

/** Connections beyond the limits of WebSockets, for HTTP: the page, health, scrapes, and refusals. */
const httpAllowance = 64;
const httpAllowancePerIp = 8;
/** The TCP socket, and both ends of the Unix socket to the app. */
const descriptorsPerClient = 3;

/** Clients that fit into the descriptor limit. */
export function maxClients(): number {
  return Math.floor((descriptorLimit() - reservedDescriptors) / descriptorsPerClient);
}

/**
 * Applies the limits of WebSocket admission to TCP connections. Limits per address do not apply to trusted proxies, whose
 * clients are known only after the handshake.
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
  const most = Math.min(maxOpen, config.maxConnections + httpAllowance);
  const perGroup = new Map<string, number>();
  const count = (address: string, change: number): void => {
    const group = clientGroup(address);
    const left = (perGroup.get(group) ?? 0) + change;
    if (left > 0) {
      perGroup.set(group, left);
    } else {
      perGroup.delete(group);
    }
  };
  // Clients that never open a WebSocket last only seconds, but one address could use up all connections with them.
  const hasMoreThanItsShare = (address: string, others: number): boolean =>
    others > most / 2 && (perGroup.get(clientGroup(address)) ?? 0) >= most / 8;
  return {
    admit(address, open, webSockets) {
      if (open >= maxOpen) {
        return "descriptors";
      }
      if (trusts(address)) {
        return open >= config.maxConnections + httpAllowance ? "capacity" : undefined;
      }
      if (hasMoreThanItsShare(address, open - webSockets)) {
        return "per_ip";
      }
      const reason = limits.admit({ address, origin: undefined })?.reason as TlsFailure | undefined;
      if (reason === undefined) {
        count(address, 1);
      }
      return reason;
    },
    release(address) {
      if (!trusts(address)) {
        limits.release(address);
        count(address, -1);
      }
    },
  };
}
