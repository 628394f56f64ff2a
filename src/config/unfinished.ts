// Computes what clients can make uWS hold in unfinished messages, which it does not report: the product of two limits.
import { formatSize } from "../lib/units.ts";
import type { Config } from "./options.ts";

type UnfinishedLimits = Pick<Config, "maxConnections" | "maxPayload" | "compression">;

/** Bytes of all unfinished messages at most. A compressed one is held before and after inflation. */
export function unfinishedBytes({ maxConnections, maxPayload, compression }: UnfinishedLimits): number {
  return maxConnections * maxPayload * (compression === "off" ? 1 : 2);
}

/**
 * A sentence for the log when unfinished messages could take all memory.
 * @param memoryBytes what the server may use
 */
export function unfinishedWarning(config: UnfinishedLimits, memoryBytes: number): string | undefined {
  const { maxConnections, maxPayload } = config;
  if (unfinishedBytes(config) <= memoryBytes) {
    return undefined;
  }
  const enough = Math.floor(memoryBytes / (unfinishedBytes(config) / maxConnections));
  return (
    `${enough + 1} of ${maxConnections} connections could take all memory with unfinished messages of --max-payload ` +
    `${formatSize(maxPayload)}: uWebSockets.js does not tell of them; lower --max-payload or --max-connections if clients are not trusted`
  );
}
