// What a terminal can show: colours, and how many columns.
import { createColors } from "picocolors";

/** The streams that this asks about: process.stdout and process.stderr. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = Record<string, string | undefined>;

export const colorChoices = ["auto", "always", "never"] as const;
export const colorHelp = "colours in what is printed: auto (on a terminal), always or never";

/** Colours by name; without colours each gives its text back. */
export type Paint = ReturnType<typeof createColors>;

/**
 * Removes `--color WHEN` from the arguments and puts it into the environment, where this process, its libraries and the
 * processes that it starts look: FORCE_COLOR for always, NO_COLOR for never. A value that is none of the choices stays.
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

/** Whether to colour what goes to a stream: FORCE_COLOR first, then NO_COLOR (no-color.org), then what the stream is. */
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

/** Columns to lay text out for: those of the terminal, up to `max`, and 80 where there is none. */
export function widthFor(stream: TerminalStream, max = 120): number {
  const columns = stream.isTTY === true ? (stream.columns ?? 80) : 80;
  return Math.min(Math.max(columns, 40), max);
}

/** How a report looks: its width in columns and its colours. */
export interface Look {
  readonly width: number;
  readonly paint: Paint;
}

/** For files and programs: lines of any length, without colours. */
export const plainLook: Look = { width: Number.POSITIVE_INFINITY, paint: createColors(false) };

/** The look for a stream: as wide as its terminal; what is no terminal has no width. */
export function lookFor(stream: TerminalStream): Look {
  const width = stream.isTTY === true ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
  return { width: Math.max(width, 40), paint: paintFor(stream) };
}
