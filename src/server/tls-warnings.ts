// Warns at the start about surprising TLS settings.
import { readFileSync } from "node:fs";
import type { Config } from "../config/options.ts";

/** Above this, the kernel can buffer more for a connection than one TLS read of uWebSockets.js, in bytes. */
const safeReceiveBytes = 262_144;

export function tlsWarnings(config: Config, maxReceiveBytes: number | undefined = receiveLimit()): string[] {
  if (config.tlsCert === undefined) {
    return [];
  }
  const warnings: string[] = [];
  if (config.tlsClientAuth === "request") {
    warnings.push(
      "--tls-client-auth request refuses client certificates of other authorities but accepts clients without one",
    );
  }
  if (config.tlsClientAuth === "require" && config.adminPort === undefined) {
    warnings.push(
      "--tls-client-auth require also applies to health checks and scrapes: move them to --admin-port",
    );
  }
  if (config.tlsEngine === "uws" && (maxReceiveBytes ?? Number.POSITIVE_INFINITY) > safeReceiveBytes) {
    warnings.push(
      `--tls-engine uws disconnects clients with more than 0.5 MiB in flight: set the maximum of net.ipv4.tcp_rmem, which is ${maxReceiveBytes ?? "unknown"}, to ${safeReceiveBytes} or less`,
    );
  }
  return warnings;
}

/** The kernel's maximum receive buffer of a TCP connection, in bytes; undefined if unknown. */
function receiveLimit(): number | undefined {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/tcp_rmem", "utf8").trim().split(/\s+/)[2]);
  } catch {
    return undefined;
  }
}
