// Logs the clients that the server closes for exceeding a limit.
import { type Log, rateLimited } from "../system/log.ts";

/** Interval of warnings with the same reason, in milliseconds. */
const warnIntervalMs = 5000;

/**
 * Creates the function that logs a closed client, with the reason and the number of warnings omitted since the last.
 * @param now milliseconds of a clock that never goes back
 */
export function createClosedClientLog(
  log: Log,
  now: () => number,
): (reason: string, details: object) => void {
  return rateLimited(warnIntervalMs, now, (reason, details, suppressed) =>
    log.warn({ reason, ...details, suppressed }, "client closed for exceeding a limit"),
  );
}
