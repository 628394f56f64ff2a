// One pino logger: JSON lines, or readable ones on a terminal. It knows no server.
import pino, { type LevelWithSilent, type Logger } from "pino";

export type Log = Logger;

/** Logs to standard output: readable on a terminal, JSON elsewhere. */
export async function createLog(level: LevelWithSilent): Promise<Log> {
  const base = { level, base: null };
  if (!process.stdout.isTTY) {
    return pino(base, pino.destination({ fd: 1, sync: true }));
  }
  const { PinoPretty } = await import("pino-pretty");
  return pino(
    base,
    PinoPretty({ colorize: true, translateTime: "SYS:HH:MM:ss.l", ignore: "pid,hostname", sync: true }),
  );
}

/** A logger that writes nothing, for use as a library. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

/**
 * Lets one call of each kind through per interval and says how many it held back.
 * @param intervalMs milliseconds between two lines of one kind
 */
export function rateLimited(
  intervalMs: number,
  now: () => number,
  write: (kind: string, details: object, suppressed: number) => void,
): (kind: string, details: object) => void {
  const kinds = new Map<string, { writtenAt: number; suppressed: number }>();
  return (kind, details) => {
    const seen = kinds.get(kind);
    if (seen !== undefined && now() - seen.writtenAt < intervalMs) {
      seen.suppressed++;
      return;
    }
    kinds.set(kind, { writtenAt: now(), suppressed: 0 });
    write(kind, details, seen?.suppressed ?? 0);
  };
}
