// Logs the clients that the server closes because they are over a limit.
import { type Log, rateLimited } from "../system/log.ts";

/** Warnings of one reason are logged at most this often, in milliseconds. */
const warnIntervalMs = 5000;

/**
 * Makes the function that logs a closed client, with its reason and the count of those that were left out since.
 * @param now milliseconds of a clock that never goes back
 */
export function createClosedClientLog(
  log: Log,
  now: () => number,
): (reason: string, details: object) => void {
  return rateLimited(warnIntervalMs, now, (reason, details, suppressed) =>
    log.warn({ reason, ...details, suppressed }, "client over a limit closed"),
  );
}
