// Logs to standard output: JSON lines, or readable lines on a terminal. If the reader stops or the disk is full, lines
// are dropped and counted; the server never blocks.
import pino, { type LevelWithSilent, type Logger } from "pino";
import { wantsColor } from "../lib/terminal.ts";
import { LineOutput, openStandardOutput } from "./line-output.ts";
import type { LogMessage } from "./log-messages.ts";

type Write<Level extends "debug" | "info" | "warn" | "error" | "fatal"> = (
  details: object,
  message: LogMessage<Level>,
) => void;

/** pino's logger, for the messages of src/system/log-messages.ts. */
export interface Log {
  readonly debug: Write<"debug">;
  readonly info: Write<"info"> & ((message: LogMessage<"info"> | `serving ${string}`) => void);
  /** A single argument is a sentence about the configuration. */
  readonly warn: Write<"warn"> & ((sentence: string) => void);
  readonly error: Write<"error">;
  readonly fatal: Write<"fatal">;
  isLevelEnabled(level: string): boolean;
  /** A log whose lines all have these fields. */
  child(fields: object): Log;
}

/** Limit of queued log bytes; lines beyond it are dropped. */
const maxPendingBytes = 256 * 1024;

let output: LineOutput | undefined;

/** Creates the log of this process; call it once. */
export async function createLog(level: LevelWithSilent): Promise<Log> {
  const lines = new LineOutput(openStandardOutput(), maxPendingBytes);
  output = lines;
  const base = { level, base: null };
  if (!process.stdout.isTTY) {
    const log: Logger = pino(base, lines);
    return log;
  }
  const { prettyFactory } = await import("pino-pretty");
  const prettify = prettyFactory({
    colorize: wantsColor(process.stdout),
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
  });
  const log: Logger = pino(base, { write: (line: string) => lines.write(prettify(line) ?? "") });
  return log;
}

/** Lines dropped since the process started. */
export function droppedLogLines(): number {
  return output?.droppedLines ?? 0;
}

/**
 * Waits until the last lines are written, before the process ends.
 * @param timeoutMs milliseconds after which the rest is dropped
 */
export async function flushLog(timeoutMs = 500): Promise<void> {
  await output?.flush(timeoutMs);
}

/** A logger that writes nothing, for use as a library. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

/**
 * Lets one call of each kind through per interval, and reports how many it omitted.
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
