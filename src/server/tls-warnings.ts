// Warns at the start about TLS settings that may surprise an operator.
import { readFileSync } from "node:fs";
import type { Config } from "../config/options.ts";

/** Above this the kernel can hold more for a connection than uWebSockets.js reads at a time over TLS, in bytes. */
const safeReceiveBytes = 262_144;

export function tlsWarnings(config: Config, maxReceiveBytes: number | undefined = receiveLimit()): string[] {
  if (config.tlsCert === undefined) {
    return [];
  }
  const warnings: string[] = [];
  if (config.tlsClientAuth === "request") {
    warnings.push(
      "--tls-client-auth request refuses client certificates of other authorities; clients that show none are let in",
    );
  }
  if (config.tlsClientAuth === "require" && config.adminPort === undefined) {
    warnings.push(
      "--tls-client-auth require also holds for health checks and scrapes: move them to --admin-port",
    );
  }
  if (config.tlsEngine === "uws" && (maxReceiveBytes ?? Number.POSITIVE_INFINITY) > safeReceiveBytes) {
    warnings.push(
      `--tls-engine uws cuts clients that have more than 0.5 MiB in flight: set net.ipv4.tcp_rmem's maximum, which is ${maxReceiveBytes ?? "unknown"}, to ${safeReceiveBytes} or less`,
    );
  }
  return warnings;
}

/** The largest receive buffer that the kernel gives a TCP connection, in bytes; undefined where it does not tell. */
function receiveLimit(): number | undefined {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/tcp_rmem", "utf8").trim().split(/\s+/)[2]);
  } catch {
    return undefined;
  }
}
