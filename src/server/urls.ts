// Computes the URLs of a server. Pure.
import type { Config } from "../config/options.ts";

export interface ServedUrls {
  /** For `new WebSocket()`. */
  readonly echo: string;
  /** For POST. */
  readonly httpEcho: string;
  /** Undefined with `--no-inspect`. */
  readonly inspect: string | undefined;
  /** The page; undefined with `--no-console`. */
  readonly page: string | undefined;
  readonly metrics: string;
  readonly livez: string;
  readonly readyz: string;
}

export function servedUrls(
  config: Pick<Config, "host" | "adminHost" | "inspect" | "tlsCert" | "console">,
  port: number,
  adminPort: number | undefined,
): ServedUrls {
  const secure = config.tlsCert === undefined ? "" : "s";
  const authority = `${hostForUrl(config.host)}:${port}`;
  const http = `http${secure}://${authority}`;
  const admin = adminPort === undefined ? http : `http://${hostForUrl(config.adminHost)}:${adminPort}`;
  return {
    echo: `ws${secure}://${authority}/echo`,
    httpEcho: `${http}/echo`,
    inspect: config.inspect ? `${http}/inspect` : undefined,
    page: config.console ? `${http}/` : undefined,
    metrics: `${admin}/metrics`,
    livez: `${admin}/livez`,
    readyz: `${admin}/readyz`,
  };
}

// A client cannot connect to a wildcard address, so the URL names this machine.
function hostForUrl(host: string): string {
  if (host === "*" || host === "0.0.0.0" || host === "::") {
    return "localhost";
  }
  return host.includes(":") ? `[${host}]` : host;
}
