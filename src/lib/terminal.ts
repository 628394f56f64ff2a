// Decides colours and width of terminal output.
import { createColors } from "picocolors";

/** An output stream: process.stdout or process.stderr. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = Record<string, string | undefined>;

export const colorChoices = ["auto", "always", "never"] as const;
export const colorHelp = "colours in the output: auto (on a terminal), always or never";

/** Colours by name; without colours each returns its text. */
export type Paint = ReturnType<typeof createColors>;

/**
 * Removes `--color WHEN` from the arguments and sets the variable that this process, its libraries and its child
 * processes read: FORCE_COLOR for always, NO_COLOR for never. An invalid value stays in the arguments.
 */
export function takeColorFlag(args: readonly string[], environment: Environment): string[] {
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      return [...rest, ...args.slice(at)];
    }
    const isAlone = arg === "--color";
    const when = isAlone ? args[at + 1] : /^--color=(.*)$/.exec(arg)?.[1];
    if (!colorChoices.some((choice) => choice === when)) {
      rest.push(arg);
      continue;
    }
    at += isAlone ? 1 : 0;
    if (when !== "auto") {
      delete environment[when === "always" ? "NO_COLOR" : "FORCE_COLOR"];
      environment[when === "always" ? "FORCE_COLOR" : "NO_COLOR"] = "1";
    }
  }
  return rest;
}

/** Whether to colour the output to a stream: FORCE_COLOR, then NO_COLOR (no-color.org), then whether it is a terminal. */
export function wantsColor(stream: TerminalStream, environment: Environment = process.env): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment;
  if (force !== undefined && force !== "") {
    return force !== "0" && force !== "false";
  }
  return (no === undefined || no === "") && stream.isTTY === true && term !== "dumb";
}

/** Colours for a stream. */
export function paintFor(stream: TerminalStream): Paint {
  return createColors(wantsColor(stream));
}

/** The width for text in columns: the terminal's, up to `max`, or 80 without a terminal. */
export function widthFor(stream: TerminalStream, max = 120): number {
  const columns = stream.isTTY === true ? (stream.columns ?? 80) : 80;
  return Math.min(Math.max(columns, 40), max);
}

/** The look of a report: width in columns, and colours. */
export interface Look {
  readonly width: number;
  readonly paint: Paint;
}

/** For files and programs: lines of any length, without colours. */
export const plainLook: Look = { width: Number.POSITIVE_INFINITY, paint: createColors(false) };

/** The look for a stream: the width of its terminal, or unlimited if it is none. */
export function lookFor(stream: TerminalStream): Look {
  const width = stream.isTTY === true ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
  return { width: Math.max(width, 40), paint: paintFor(stream) };
}
