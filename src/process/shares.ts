// Computes each worker's share of the limits of the whole server.
import type { Config } from "../config/options.ts";

/** What one of several workers may have, rounded up: 0 stays "no limit". */
export function shareOf(config: Config, workers: number): Config {
  const share = (total: number): number => Math.ceil(total / workers);
  return {
    ...config,
    maxConnections: share(config.maxConnections),
    maxConnectionsPerIp: share(config.maxConnectionsPerIp),
    handshakeRate: share(config.handshakeRate),
    endpointsConnections: share(config.endpointsConnections),
    handshakeRatePerIp: share(config.handshakeRatePerIp),
    maxUploads: share(config.maxUploads),
    maxHttpConnections: share(config.maxHttpConnections),
    maxHttpConnectionsPerIp: share(config.maxHttpConnectionsPerIp),
    // A share below one connection's buffer would close a connection that is within its own limit.
    maxBuffered: Math.max(share(config.maxBuffered), config.maxBackpressure),
  };
}
