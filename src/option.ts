// What one option is, and the kinds of value that options have. It knows no particular option.
import { z } from "zod";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

/** The groups of `--help`, in its order. */
export const optionGroups = [
  "Listening",
  "WebSocket",
  "Backpressure",
  "Admission",
  "TLS",
  "Shutdown",
  "Pages and logs",
] as const;

/** One row of the table of options. */
export interface Option<T> {
  readonly group: (typeof optionGroups)[number];
  /** What stands for the value in `--help`; a boolean option has none. */
  readonly placeholder?: string;
  readonly help: string;
  /** Reads a flag, a variable or a value given by a program. */
  readonly schema: z.ZodType<T>;
  readonly default: T | (() => T);
  /** Says in `--help` where a computed default comes from. */
  readonly defaultNote?: string;
  readonly format: (value: T) => string;
  /** The gauge that shows this limit. */
  readonly limit?: { readonly name: string; readonly help: string; readonly value: (value: T) => number };
}

export function option<T>(row: Option<T>): Option<T> {
  return row;
}

type Common<T> = Pick<Option<T>, "group" | "help" | "default"> & Partial<Option<T>>;

/** A whole number from `min` to `max`. */
export function integer(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const message = `expected a whole number from ${min} to ${max}`;
  const schema = z
    .union([z.number(), z.string().regex(/^\d+$/, message).transform(Number)], message)
    .pipe(z.number(message).int(message).min(min, message).max(max, message));
  return { placeholder: "<n>", schema, format: String, ...rest };
}

/** A size in bytes, from `min` to `max`; a program gives bytes. */
export function size(row: Common<number> & { min: number; max: number }): Option<number> {
  const { min, max, ...rest } = row;
  const message = `expected a size from ${formatSize(min)} to ${formatSize(max)}, such as 64KiB, 16MiB or plain bytes`;
  const schema = quantity(parseSize, message).pipe(
    z.number().int(message).min(min, message).max(max, message),
  );
  return { placeholder: "<size>", schema, format: formatSize, ...rest };
}

/** A duration in milliseconds, from `min` to `max`; a program gives milliseconds. `off` allows 0 below `min`. */
export function duration(
  row: Common<number> & { min: number; max: number; off?: boolean; whole?: "seconds" },
): Option<number> {
  const { min, max, off = false, whole, ...rest } = row;
  const wholeText = whole === undefined ? "" : " in whole seconds";
  const message = `expected a duration from ${formatDuration(min)} to ${formatDuration(max)}${wholeText}${off ? ", or 0 for off" : ""}, such as 500ms, 30s or 2m`;
  const inRange = (value: number): boolean =>
    (off && value === 0) || (value >= min && value <= max && (whole === undefined || value % 1000 === 0));
  const schema = quantity(parseDuration, message).pipe(z.number().int(message).refine(inRange, message));
  return { placeholder: "<duration>", schema, format: formatDuration, ...rest };
}

/** One of a few words. */
export function choice<const T extends string>(
  row: Omit<Common<T>, "default"> & { default: NoInfer<T>; choices: readonly T[] },
): Option<T> {
  const { choices, ...rest } = row;
  const schema = z.enum(choices, `expected ${listOr(choices)}`) as unknown as z.ZodType<T>;
  return { placeholder: `<${choices.join("|")}>`, schema, format: String, ...rest };
}

/** On or off. */
export function toggle(row: Common<boolean>): Option<boolean> {
  const words = new Map([
    ["true", true],
    ["1", true],
    ["yes", true],
    ["on", true],
    ["false", false],
    ["0", false],
    ["no", false],
    ["off", false],
  ]);
  const message = `expected ${listOr([...words.keys()])}`;
  const schema = z.union([z.boolean(), z.string()]).transform((value, context) => {
    const read = typeof value === "boolean" ? value : words.get(value.toLowerCase());
    if (read === undefined) context.addIssue({ code: "custom", message });
    return read ?? z.NEVER;
  });
  return { schema, format: String, ...row };
}

/** A file that is named here and read elsewhere; undefined when not given. */
export function file(row: Omit<Common<string | undefined>, "default">): Option<string | undefined> {
  const schema = z.string().min(1, "expected the path of a file").optional();
  return { placeholder: "<file>", schema, default: undefined, format: (value) => value ?? "none", ...row };
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

function quantity(parse: (text: string) => number | undefined, message: string) {
  return z.union([z.number(), z.string()], message).transform((value, context) => {
    const read = typeof value === "number" ? value : parse(value);
    if (read === undefined) context.addIssue({ code: "custom", message });
    return read ?? z.NEVER;
  });
}
