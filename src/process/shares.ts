// Computes each worker's share of the limits of the whole server.
import type { Config } from "../config/options.ts";

/** The configuration of one of several workers, with limits divided and rounded up; 0 stays "no limit". */
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
    // A smaller share would close a connection that is within --max-backpressure.
    maxBuffered: Math.max(share(config.maxBuffered), config.maxBackpressure),
  };
}
