// The limits in force as gauges, and each worker's share of those that hold for the whole server.

import type { Config } from "../config/options.ts";
import { optionNames, optionRow } from "../config/resolve.ts";
import { socketLimit } from "../system/resources.ts";
import type { LimitGauge } from "./registry.ts";

/** One gauge for each option that is a limit. */
export function limitGauges(config: Config): LimitGauge[] {
  const fromOptions = optionNames.flatMap((name): LimitGauge[] => {
    const { limit } = optionRow(name);
    return limit === undefined
      ? []
      : [{ name: limit.name, help: limit.help, value: limit.value(config[name]) }];
  });
  const sockets = socketLimit();
  const help = "Sockets of one worker at which listening pauses, from the descriptor limit";
  return Number.isFinite(sockets) ? [...fromOptions, { name: "sockets", help, value: sockets }] : fromOptions;
}

/** What one of several workers may have, rounded up: 0 stays "no limit". */
export function shareOf(config: Config, workers: number): Config {
  const share = (total: number): number => Math.ceil(total / workers);
  return {
    ...config,
    maxConnections: share(config.maxConnections),
    maxConnectionsPerIp: share(config.maxConnectionsPerIp),
    handshakeRate: share(config.handshakeRate),
    // A share below one connection's buffer would close a connection that is within its own limit.
    maxBuffered: Math.max(share(config.maxBuffered), config.maxBackpressure),
  };
}
