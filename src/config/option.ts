// Defines the row of an option, with a constructor for each kind of value.
import * as z from "zod";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseNumber,
  parseRate,
  parseSize,
  UnitError,
} from "../lib/units.ts";

/** The groups of `--help`, in its order. */
export const optionGroups = [
  "Listening",
  "WebSocket",
  "Backpressure",
  "Admission",
  "Endpoints on demand",
  "HTTP",
  "TLS",
  "Shutdown",
  "Pages and logs",
] as const;

/** A limit: its gauge `echo_limit_<name>`, and what happens at the limit. */
export interface Limit<T> {
  readonly name: string;
  readonly help: string;
  readonly value: (value: T) => number;
  readonly outcome: string;
  /** Metrics that show or count it. */
  readonly countedBy: readonly string[];
}

/** One row of the table of options. */
export interface Option<T> {
  readonly group: (typeof optionGroups)[number];
  /** The placeholder of the value in `--help`; a boolean option has none. */
  readonly placeholder?: string;
  readonly help: string;
  /** The TypeScript type in `EchoServerOptions`; `string` by default. */
  readonly type?: string;
  /** The allowed values, as they follow "expected" in an error. */
  readonly expected: string;
  /** Parses a flag, a variable or a value from a program. */
  readonly schema: z.ZodType<T>;
  readonly default: T | (() => T);
  /** The allowed words of a choice. */
  readonly choices?: readonly string[];
  /** Says in `--help` where a computed default comes from. */
  readonly defaultNote?: string;
  readonly format: (value: T) => string;
  /** Set for an option that limits what clients can use. */
  readonly limit?: Limit<T>;
}

export function option<T>(row: Option<T>): Option<T> {
  return row;
}

type Common<T> = Pick<Option<T>, "group" | "help" | "default"> & Partial<Option<T>>;

const numberOrText = "number | string";

/** A whole number from `min` to `max`. */
export function integer(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const expected = `a whole number from ${min} to ${max}`;
  return {
    type: numberOrText,
    placeholder: "<n>",
    expected,
    schema: integerSchema(min, max),
    format: String,
    ...rest,
  };
}

export function integerSchema(min: number, max: number): z.ZodType<number> {
  const text = z.string().regex(/^\d+$/).transform(Number);
  return z.union([z.number(), text]).pipe(z.number().int().min(min).max(max));
}

/** A maximum number of things, from `min` to `max`: a whole number, which may be written as `20k`. */
export function count(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const expected = `a whole number from ${min} to ${max}, such as 500 or 20k`;
  return {
    type: numberOrText,
    placeholder: "<n>",
    expected,
    schema: wholeWithin(parseNumber, min, max),
    format: String,
    ...rest,
  };
}

/** A number per second, from `min` to `max`: a whole number, such as `500` or `20k/s`. */
export function rate(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const expected = `a whole number per second from ${min} to ${max}, such as 500 or 20k/s`;
  return {
    type: numberOrText,
    placeholder: "<n>",
    expected,
    schema: wholeWithin(parseRate, min, max),
    format: String,
    ...rest,
  };
}

function wholeWithin(parse: (text: string) => number, min: number, max: number): z.ZodType<number> {
  return quantity(parse).pipe(z.number().int().min(min).max(max));
}

/** A size in bytes, from `min` to `max`; a program gives bytes. */
export function size(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const expected = `a size from ${formatSize(min)} to ${formatSize(max)}, such as 64KiB, 16MiB or plain bytes`;
  const schema = wholeWithin(parseSize, min, max);
  return { type: numberOrText, placeholder: "<size>", expected, schema, format: formatSize, ...rest };
}

/** A duration in milliseconds, from `min` to `max`; a program gives milliseconds. `off` allows 0 below `min`. */
export function duration(
  row: Common<number> & { min: number; max: number; off?: boolean; whole?: "seconds" },
): Option<number> {
  const { min, max, off = false, whole, ...rest } = row;
  const range = `a duration from ${formatDuration(min)} to ${formatDuration(max)}`;
  const expected = `${range}${whole === undefined ? "" : " in whole seconds"}${off ? ", or 0 for off" : ""}, such as 500ms, 30s or 2m`;
  const isAllowed = (value: number): boolean =>
    (off && value === 0) || (value >= min && value <= max && (whole === undefined || value % 1000 === 0));
  const schema = quantity(parseDuration).pipe(z.number().int().refine(isAllowed));
  return { type: numberOrText, placeholder: "<duration>", expected, schema, format: formatDuration, ...rest };
}

/** One of a few words. */
export function choice<const T extends string>(
  row: Omit<Common<T>, "default"> & { default: NoInfer<T>; choices: readonly T[] },
): Option<T> {
  const { choices, ...rest } = row;
  const schema = z.enum(choices) as unknown as z.ZodType<T>;
  return {
    choices,
    type: choices.map((word) => JSON.stringify(word)).join(" | "),
    placeholder: `<${choices.join("|")}>`,
    expected: listOr(choices),
    schema,
    format: String,
    ...rest,
  };
}

/** On or off. */
export function toggle(row: Common<boolean>): Option<boolean> {
  const schema = z.union([z.boolean(), z.stringbool({ truthy: on, falsy: off })]);
  return { type: "boolean", expected: onOrOff, schema, format: String, ...row };
}
const on = ["true", "1", "yes", "on"];
const off = ["false", "0", "no", "off"];

/** The allowed values of a toggle, as they follow "expected" in an error. */
export const onOrOff: string = listOr([...on, ...off]);
export const isOn = (text: string): boolean => on.includes(text.toLowerCase());
export const isOff = (text: string): boolean => off.includes(text.toLowerCase());

/** The path of a file, which is read elsewhere; undefined by default. */
export function file(row: Omit<Common<string | undefined>, "default">): Option<string | undefined> {
  return {
    type: "string",
    placeholder: "<file>",
    expected: "the path of a file",
    schema: z.string().min(1).optional(),
    default: undefined,
    format: (value) => value ?? "none",
    ...row,
  };
}

/** Splits `a, b` at its commas. */
export function commaList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

export function listOr(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** A number, or text in the grammar of units. The row says what is allowed. */
function quantity(parse: (text: string) => number) {
  const text = z.string().transform((given, context) => {
    try {
      return parse(given);
    } catch (error) {
      if (!(error instanceof UnitError)) {
        throw error;
      }
      context.issues.push({ code: "custom", message: error.message, input: given });
      return z.NEVER;
    }
  });
  return z.union([z.number(), text]);
}
