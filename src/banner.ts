// Formats the start banner for a terminal.
import type { Config } from "./config/options.ts";
import { formatBytes, formatNumber } from "./lib/format.ts";
import { packageVersion } from "./lib/package.ts";
import type { Paint } from "./lib/terminal.ts";
import type { ServedUrls } from "./server/urls.ts";

/** Three lines: what runs, its URLs, and its main limits. */
export function startBanner(config: Config, urls: ServedUrls, paint: Paint): string {
  const workers = config.workers === 1 ? "1 worker" : `${config.workers} workers`;
  const open = urls.page === undefined ? "Connect" : `Open ${paint.cyan(urls.page)} or connect`;
  return [
    `${paint.bold(`uws-echo ${packageVersion()}`)} on Node ${process.versions.node}, ${workers}`,
    `${open} to ${paint.cyan(urls.echo)}`,
    `Limits: ${formatNumber(config.maxConnections)} connections, ${formatBytes(config.maxPayload)} a message, ` +
      `${formatBytes(config.maxBuffered)} buffered. Ctrl-C stops.`,
    "",
  ].join("\n");
}
