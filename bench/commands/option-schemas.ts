// Checks single options: quantities with units, headers, payloads, files. Commands check how options go together.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { UwsEchoError } from "../../src/lib/errors.ts";
import { tokenPattern } from "../../src/lib/token.ts";
import {
  formatDuration,
  parseDuration,
  parseNumber,
  parseShare,
  parseSize,
  UnitError,
} from "../../src/lib/units.ts";
import { parseSlo } from "../result/slo.ts";
import { parseThreshold } from "../result/threshold.ts";
import { parseAbort } from "../scenario/abort.ts";
import { parseStages } from "../scenario/stages.ts";
import { canReadProcess } from "../target/process-sampler.ts";

/** Wrong usage: exit code 2. Lists every problem. */
export class UsageError extends UwsEchoError<"ERR_USAGE"> {
  override readonly name = "UsageError";
  constructor(problems: readonly string[]) {
    super("ERR_USAGE", problems);
  }
}

const maxPayloadBytes = 256 * 1024 * 1024;
const maxPayloads = 1000;
const maxLinesBytes = 64 * 1024 * 1024;
const dayMs = 86_400_000;
/** For options that can be repeated. */
export const collect = (value: string, earlier: string[]): string[] => [...earlier, value];
/** The same without a default. */
export const collectOptional = (value: string, earlier: string[] | undefined): string[] => [
  ...(earlier ?? []),
  value,
];

/** A text that a parser turns into a number in a range; the parser's error becomes the issue. */
export function quantity(parse: (text: string) => number, range: z.ZodNumber) {
  return z
    .string()
    .transform((text, context) => attempt(context, text, () => parse(text)))
    .pipe(range);
}

/** A text that a parser converts; the parser's error becomes the issue. */
export function parsedBy<T>(parse: (text: string) => T) {
  return z.string().transform((text, context) => attempt(context, text, () => parse(text)));
}

function attempt<T>(context: z.RefinementCtx, input: unknown, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) {
      throw error;
    }
    context.issues.push({ code: "custom", message: error.message, input });
    return z.NEVER;
  }
}

/** A duration from `min` to `max` milliseconds. */
export function duration(min: number, max: number) {
  const message = `must be from ${formatDuration(min)} to ${formatDuration(max)}`;
  return quantity(parseDuration, z.number().min(min, message).max(max, message));
}

/** A warm-up of a given length; `run` replaces `auto` before it reads its options. */
export function warmup(maxMs: number) {
  return z
    .string()
    .refine((text) => text !== "auto", "auto goes with run only: give a time")
    .pipe(duration(0, maxMs));
}

/** A share from `min` to `max`, written in per cent. */
export function share(min: number, max: number) {
  const message = `must be from ${100 * min}% to ${100 * max}%`;
  return quantity(parseShare, z.number().min(min, message).max(max, message));
}

/** A bounded number whose message says what is allowed. */
export function within(min: number, max: number): z.ZodNumber {
  const message = `must be between ${min} and ${max}`;
  return z.number({ error: message }).min(min, message).max(max, message);
}

export function whole(min: number, max: number): z.ZodNumber {
  return within(min, max).int("must be a whole number");
}

const headerSchema = z.string().transform((text, context): readonly [string, string] =>
  attempt(context, text, () => {
    const colon = text.indexOf(":");
    const name = text.slice(0, colon).trim();
    const value = text.slice(colon + 1).trim();
    if (colon < 1 || !tokenPattern.test(name) || /[\r\n\0]/.test(value)) {
      throw new UnitError(`"${text}" is not a header: write Name: value`);
    }
    if (/^(?:sec-websocket-|upgrade$|connection$)/i.test(name)) {
      throw new UnitError(`${name} is part of the handshake itself and cannot be set`);
    }
    return [name, value];
  }),
);

type PayloadChoice =
  | { readonly kind: "sizes"; readonly sizes: readonly number[] }
  | { readonly kind: "file"; readonly content: Buffer };

/** Sizes by comma, or `@file` for its content. */
export const payloadSchema = z.string().transform(
  (text, context): PayloadChoice =>
    attempt(context, text, () => {
      if (text.startsWith("@")) {
        return { kind: "file", content: readFile(text.slice(1), maxPayloadBytes) };
      }
      const sizes = text.split(",").map(parseSize);
      if (sizes.length > maxPayloads || sizes.some((bytes) => bytes > maxPayloadBytes)) {
        throw new UnitError(`at most ${maxPayloads} sizes of at most 256MiB each are allowed`);
      }
      return { kind: "sizes", sizes };
    }),
);

/** Stages of a rate. */
export const stagesSchema = z
  .string()
  .transform((text, context) => attempt(context, text, () => parseStages(text)));

/** A condition that ends a session. */
export const abortSchema = z
  .string()
  .transform((text, context) => attempt(context, text, () => parseAbort(text)));

/** The text of a file. */
export const fileSchema = z
  .string()
  .transform((path, context) => attempt(context, path, () => readFile(path).toString()));

/** Texts separated by commas. */
export const listSchema = z.string().transform((text) => text.split(",").map((part) => part.trim()));

/** The lines of a file for headers, or its problem. */
export function linesOf(path: string): readonly string[] | string {
  try {
    const lines = readFile(path, maxLinesBytes).toString().split(/\r?\n/);
    const used = lines.filter((line) => line !== "");
    if (used.length === 0) {
      return `${path} has no lines`;
    }
    const bad = used.findIndex((line) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(line));
    return bad < 0 ? used : `${path}: line ${bad + 1} has characters that a header cannot hold`;
  } catch (error) {
    if (!(error instanceof UnitError)) {
      throw error;
    }
    return `${path}: ${error.message}`;
  }
}

/** A service-level objective. */
export const sloSchema = z
  .string()
  .transform((text, context) => attempt(context, text, () => parseSlo(text)));

const thresholdSchema = z
  .string()
  .transform((text, context) => attempt(context, text, () => parseThreshold(text)));

const webUrlSchema = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

/** What is allowed for options that every load has, by their names in camel case. */
export const commonShape = {
  connections: quantity(parseNumber, whole(1, 1_000_000)),
  duration: duration(10, 7 * dayMs),
  warmup: warmup(dayMs),
  timeout: duration(1, 3_600_000),
  header: z.array(headerSchema),
};

/** What is allowed for options that every single measurement has. */
export const resultShape = {
  label: z.string().min(1, "must not be empty").optional(),
  threshold: z.array(thresholdSchema),
  require: z.literal("steady", { error: "must be steady" }).optional(),
  pid: quantity(parseNumber, whole(1, 4_194_304))
    .refine(canReadProcess, "is not a process that can be read")
    .optional(),
  metricsUrl: z
    .union([z.literal("off"), webUrlSchema], { error: "must be an http:// or https:// URL, or off" })
    .optional(),
  metricsPeriod: duration(100, 3_600_000),
};

/** Reports the problems of both parts at once. @throws UsageError */
export function checkTogether<T>(problems: readonly string[], read: () => T): T {
  const all: string[] = [];
  try {
    const value = read();
    if (problems.length === 0) {
      return value;
    }
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    all.push(...error.problems);
  }
  throw new UsageError([...all, ...problems]);
}

type Shape = Readonly<Record<string, z.ZodType>>;
export type ValuesOf<S extends Shape> = { readonly [K in keyof S]: z.infer<S[K]> };

/** Parses each field by itself, so that one problem does not hide another. Invalid values are missing. */
export function readFields<S extends Shape>(
  shape: S,
  raw: Readonly<Record<string, unknown>>,
): { values: Partial<ValuesOf<S>>; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const parsed = schema.safeParse(raw[name]);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      problems.push(...parsed.error.issues.map((issue) => `${flag}: ${issue.message}`));
    }
  }
  return { values: values as Partial<ValuesOf<S>>, problems };
}

function readFile(path: string, maxBytes = Number.POSITIVE_INFINITY): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new UnitError(`cannot read the file: ${(error as Error).message}`);
  }
  if (content.length > maxBytes) {
    throw new UnitError(`the file has ${content.length} bytes, more than the ${maxBytes} allowed`);
  }
  return content;
}
