// Computes how many bytes of unfinished messages clients can make uWS buffer. uWS does not report them.
import { formatSize } from "../lib/units.ts";
import type { Config } from "./options.ts";

type UnfinishedLimits = Pick<Config, "maxConnections" | "maxPayload" | "compression">;

/** The maximum bytes of all unfinished messages. A compressed message is buffered before and after inflation. */
export function unfinishedBytes({ maxConnections, maxPayload, compression }: UnfinishedLimits): number {
  return maxConnections * maxPayload * (compression === "off" ? 1 : 2);
}

/**
 * A sentence for the log if unfinished messages could use up the memory.
 * @param memoryBytes memory that the server may use
 */
export function unfinishedWarning(config: UnfinishedLimits, memoryBytes: number): string | undefined {
  const { maxConnections, maxPayload } = config;
  if (unfinishedBytes(config) <= memoryBytes) {
    return undefined;
  }
  const enough = Math.floor(memoryBytes / (unfinishedBytes(config) / maxConnections));
  return (
    `${enough + 1} of ${maxConnections} connections could use up the memory with unfinished messages of --max-payload ` +
    `${formatSize(maxPayload)}: uWebSockets.js does not report them; lower --max-payload or --max-connections if clients are not trusted`
  );
}
