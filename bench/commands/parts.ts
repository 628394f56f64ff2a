// The options for several generators of one load: a common start, and each one's share.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { z } from "zod";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { formatElapsed } from "../../src/lib/format.ts";
import { UnitError } from "../../src/lib/units.ts";
import type { StartAt } from "../measure/run.ts";
import { type Part, sharesOf } from "../measure/scenario.ts";
import { parseMoment } from "./moment.ts";
import { parsedBy, UsageError } from "./option-schemas.ts";

const dayMs = 86_400_000;
const pollMs = 100;
/** A generator that waits for a file gives up after this time. */
const longestWaitMs = 3_600_000;

/** The file of `--start-at @file` cannot be used; the message says why. */
export class StartError extends UwsEchoError<"ERR_START"> {
  override readonly name = "StartError";
  constructor(problem: string, options?: ErrorOptions) {
    super("ERR_START", problem, options);
  }
}

export const partShape = {
  startAt: parsedBy(parseStart).optional(),
  part: parsedBy(parsePart).optional(),
  totals: z.boolean().optional(),
};

/** Adds `--start-at`. */
export function addStartOption(command: Command): Command {
  return command.option(
    "--start-at <time|@file>",
    "connect, then start at this time (RFC 3339, or seconds since 1970), or at the one that a file will hold",
  );
}

/** Adds `--start-at`, `--part` and `--totals`. */
export function addPartOptions(command: Command): Command {
  return addStartOption(command)
    .option(
      "--part <i/n>",
      "which of n generators this is, so that they take turns (auto/n: by JOB_COMPLETION_INDEX, in an indexed Kubernetes Job)",
    )
    .option(
      "--totals",
      "with --part: connections and rates are totals of all generators, of which this one has its share",
    );
}

export interface Parts {
  readonly part?: Part | undefined;
  readonly totals?: boolean | undefined;
}

export function totalsProblems({ part, totals }: Parts): string[] {
  return totals === true && part === undefined ? ["--totals needs --part, which says what the share is"] : [];
}

/** One generator's share of totals. */
export interface Share {
  /** @throws UsageError if some generator would have none */
  readonly count: (option: string, total: number) => number;
  readonly rate: (perSecond: number) => number;
}

/** Without `--totals`, each generator has all. */
export function shareFor({ part, totals }: Parts): Share {
  if (part === undefined || totals !== true) {
    return { count: (_, all) => all, rate: (all) => all };
  }
  const { connections, rate } = sharesOf(part);
  return {
    count(option, total) {
      if (total < part.of) {
        throw new UsageError([`--totals: ${part.of} generators cannot share ${total} (${option})`]);
      }
      return connections(total);
    },
    rate,
  };
}

/** Reads a start time, or `@file`. One in the past would start this generator after the others. @throws UnitError */
function parseStart(text: string): StartAt {
  if (!text.startsWith("@")) {
    return startTimeOf(text);
  }
  const path = text.slice(1);
  if (path === "") {
    throw new UnitError("@ needs the name of a file");
  }
  return (signal) => waitForStart(path, signal);
}

/** @throws UnitError */
function startTimeOf(text: string): Date {
  const start = new Date(parseMoment(text));
  const now = new Date();
  if (start <= now) {
    throw new UnitError(`${text} has passed already, it is ${now.toISOString()}`);
  }
  if (start.getTime() - now.getTime() > dayMs) {
    throw new UnitError(`${text} is more than a day ahead (a number counts seconds since 1970)`);
  }
  return start;
}

/**
 * Waits until a file holds a time.
 * @throws StartError if it holds something else, or nothing for too long
 */
async function waitForStart(path: string, signal: AbortSignal): Promise<Date> {
  const untilMs = performance.now() + longestWaitMs;
  while (performance.now() < untilMs) {
    const text = textOf(path);
    if (text !== "") {
      try {
        return startTimeOf(text);
      } catch (error) {
        throw new StartError(`--start-at: ${path}: ${(error as Error).message}`, { cause: error });
      }
    }
    await sleep(pollMs, undefined, { signal });
  }
  throw new StartError(`--start-at: ${path} held no time for ${formatElapsed(longestWaitMs)}`);
}

/** Empty while there is no such file. @throws StartError if it cannot be read */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return "";
    }
    throw new StartError(`--start-at: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

/** Reads `2/4`, or `auto/4` with the index from Kubernetes. @throws UnitError */
function parsePart(text: string): Part {
  const [, said = "", count = ""] = /^(\d+|auto)\/(\d+)$/.exec(text) ?? [];
  const index = process.env["JOB_COMPLETION_INDEX"] ?? "";
  if (said === "auto" && !/^\d+$/.test(index)) {
    throw new UnitError("auto needs JOB_COMPLETION_INDEX, which an indexed Kubernetes Job sets");
  }
  const part = { number: said === "auto" ? Number(index) + 1 : Number(said), of: Number(count) };
  if (said === "" || part.number < 1 || part.number > part.of) {
    throw new UnitError(`"${text}" is not a part: write 1/4 to 4/4, or auto/4`);
  }
  return part;
}
