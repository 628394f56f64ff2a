// Writes Result files atomically and never over an existing file, and reads them with errors that name the cause.

import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { type Comparison, comparisonKind, comparisonSchema, comparisonVersion } from "./comparison.ts";
import { comparisonV1Kind, comparisonV1Schema } from "./comparison-v1.ts";
import { type Result, resultKind, resultSchema, resultVersion } from "./schema.ts";
import { resultV1Schema } from "./schema-v1.ts";
import { type Search, searchKind, searchSchema, searchVersion } from "./search.ts";
import { type Sweep, sweepKind, sweepSchema, sweepVersion } from "./sweep.ts";

/** A file is invalid, or must not be written; the message says why. */
export class StoreError extends UwsEchoError<"ERR_STORE"> {
  override readonly name = "StoreError";
  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    super("ERR_STORE", problems, options);
  }
}

/**
 * Writes a new file atomically, and creates missing folders.
 * @throws StoreError when the file exists or cannot be written
 */
export function writeOnce(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    try {
      writeFileSync(draft, text, { flush: true });
      publish(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StoreError(
      code === "EEXIST" && existsSync(path)
        ? `${path} already exists and is never overwritten: choose another file`
        : `cannot write ${path}: ${message}`,
      { cause: error },
    );
  }
}

/** Why a new file cannot be written there, found by trying; undefined if it can. */
export function problemOfWriting(path: string): string | undefined {
  return existsSync(path) ? `${path} already exists and is never overwritten` : problemOfReplacing(path);
}

/** Writes a text under a name that may have another one, all of it or nothing. @returns what went wrong */
export function replaceFile(path: string, text: string): string | undefined {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    writeFileSync(draft, text, { flush: true });
    renameSync(draft, path);
    return undefined;
  } catch (error) {
    rmSync(draft, { force: true });
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

/** The reason why a file cannot be written there, whether there is one or not; undefined when it can. */
export function problemOfReplacing(path: string): string | undefined {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    writeFileSync(draft, "");
    rmSync(draft);
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

/** Not mkdir's `recursive`, which never returns if the system answers every attempt with ENOENT, as in /proc. */
function makeFolders(folder: string): void {
  const missing: string[] = [];
  for (let path = resolve(folder); !existsSync(path); path = dirname(path)) {
    missing.unshift(path);
  }
  for (const path of missing) {
    try {
      mkdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw error; // else created by another process in the meantime
      }
    }
  }
}

/** Publishes the draft under its name. Unlike a rename, a link does not replace an existing file. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "ENOTSUP") {
      throw error;
    }
    copyFileSync(draft, path, constants.COPYFILE_EXCL); // a file system without hard links
  }
}

/**
 * Writes a Result to a new file.
 * @throws StoreError when the file exists or cannot be written
 */
export function writeResult(path: string, result: Result): void {
  writeOnce(path, formatResult(result));
}

/** What is wrong with a Result by its own schema, for which it is a fault of ours; undefined when nothing is. */
export function problemOfResult(result: Result): string | undefined {
  const parsed = resultSchema.safeParse(result);
  return parsed.success ? undefined : z.prettifyError(parsed.error);
}

/** Formats a Result as the JSON text of its file, even an invalid one: a measurement is never discarded. */
export function formatResult(result: Result): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Formats a Result as one line, which a log keeps whole. */
export function formatResultLine(result: Result): string {
  return `${JSON.stringify(result)}\n`;
}

/** Formats a Comparison as the JSON text of its file. @throws ZodError if it is invalid */
export function formatComparisonFile(comparison: Comparison): string {
  return `${JSON.stringify(comparisonSchema.parse(comparison), null, 2)}\n`;
}

/** Reads a Result file. @throws StoreError with its problem */
export function readResult(path: string): Result {
  return parseResult(path, readText(path));
}

/** Parses a Result; errors call the text by `name`. @throws StoreError with its problem */
export function parseResult(name: string, text: string): Result {
  return parseVersioned(name, text, resultVersions);
}

/** Reads a Comparison file. @throws StoreError with its problem */
export function readComparison(path: string): Comparison {
  return parseVersioned(path, readText(path), comparisonVersions);
}

/** What a text says it is; undefined when it names no kind. @throws StoreError when it is no JSON object */
export function kindNameOf(name: string, text: string): string | undefined {
  const { kind } = parseJson(name, text) as { kind?: unknown };
  return typeof kind === "string" ? kind : undefined;
}

/** One version of a kind of file. */
export interface Version<T> {
  readonly kind: string;
  readonly version: number;
  readonly schema: z.ZodType<T>;
}

export const resultVersions: readonly Version<Result>[] = [
  { kind: resultKind, version: 1, schema: resultV1Schema },
  { kind: resultKind, version: resultVersion, schema: resultSchema },
];

export const sweepVersions: readonly Version<Sweep>[] = [
  { kind: sweepKind, version: sweepVersion, schema: sweepSchema },
];

export const searchVersions: readonly Version<Search>[] = [
  { kind: searchKind, version: searchVersion, schema: searchSchema },
];

export const comparisonVersions: readonly Version<Comparison>[] = [
  { kind: comparisonV1Kind, version: 1, schema: comparisonV1Schema },
  { kind: comparisonKind, version: comparisonVersion, schema: comparisonSchema },
];

/**
 * Reads JSON of a known kind in any of its versions, the newest last.
 * @throws StoreError if it is truncated, foreign, of another version, or has invalid fields (all are named)
 */
export function parseVersioned<T>(name: string, text: string, versions: readonly Version<T>[]): T {
  const data = parseJson(name, text);
  const { kind, version } = data as { kind?: unknown; version?: unknown };
  const newest = versions.at(-1);
  if (!versions.some((known) => known.kind === kind)) {
    throw new StoreError(`${name} is not a file of kind "${newest?.kind}"${describeKind(kind)}`);
  }
  const found = versions.find((known) => known.kind === kind && known.version === version);
  if (found === undefined) {
    const age = Number(version) > (newest?.version ?? 0) ? "a newer" : "an older";
    throw new StoreError(
      `${name} is version ${String(version)} of "${String(kind)}", written by ${age} uws-echo-bench; ` +
        `this one reads versions 1 to ${newest?.version}`,
    );
  }
  const parsed = found.schema.safeParse(data);
  if (!parsed.success) {
    throw new StoreError(`${name} has wrong fields:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** The text of a file. @throws StoreError when it cannot be read */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StoreError(code === "ENOENT" ? `${path} does not exist` : `cannot read ${path}: ${message}`, {
      cause: error,
    });
  }
}

function parseJson(name: string, text: string): object {
  const trimmed = text.trim();
  if (trimmed === "") {
    throw new StoreError(`${name} is empty`);
  }
  if (trimmed.startsWith("{") && !trimmed.endsWith("}")) {
    throw new StoreError(
      `${name} is truncated: its JSON ends in the middle, after ${text.length} characters`,
    );
  }
  let data: unknown;
  try {
    data = JSON.parse(trimmed);
  } catch (error) {
    throw new StoreError(`${name} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof data !== "object" || data === null) {
    throw new StoreError(`${name} holds no JSON object`);
  }
  return data;
}

function describeKind(kind: unknown): string {
  return typeof kind === "string" ? ` but of "${kind}"` : ": it names no kind, so another tool wrote it";
}
