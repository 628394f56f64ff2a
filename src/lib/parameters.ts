// Parses and formats the parameters of endpoints on demand, in query and path. Pure, for the server, the page and the docs.
import {
  type Caps,
  type DurationParameter,
  defaultCaps,
  type Parameter,
  type Parameters,
  type SizeParameter,
  type TextParameter,
  type Values,
} from "./parameter.ts";
import { formatDuration, formatSize, parseDuration, parseSize, UnitError } from "./units.ts";

export type Read<S extends Parameters> =
  | { readonly values: Values<S>; readonly problems?: undefined }
  | { readonly problems: readonly string[]; readonly values?: undefined };

/** One name and value of a query, decoded. */
type Pair = readonly [name: string, value: string];

/**
 * Parses a query string strictly: no value is clamped, and every problem is reported at once.
 * @param query without its question mark
 * @param given values from elsewhere, such as path segments, undecoded
 * @param ignoresUnknown whether the query may have other names
 */
export function readParameters<S extends Parameters>(
  parameters: S,
  query: string,
  { caps, given = [], ignoresUnknown = false }: ReadOptions,
): Read<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = Object.create(null);
  const seen = new Set<string>();
  // A plus is a blank in a query, but a plus in a path.
  const fromPath = given.map(([name, value]): Pair => [name, value.replaceAll("+", "%2B")]);
  for (const [rawName, rawValue] of [...fromPath, ...splitQuery(query)]) {
    const name = decode(rawName) ?? rawName;
    if (!Object.hasOwn(parameters, name)) {
      if (!ignoresUnknown) {
        const known = Object.keys(parameters);
        problems.push(
          `${name}: unknown parameter; ${known.length === 0 ? "this path has none" : `allowed are ${known.join(", ")}`}`,
        );
      }
      continue;
    }
    if (seen.has(name)) {
      problems.push(`${name}: given more than once`);
      continue;
    }
    seen.add(name);
    const parameter = parameters[name] as Parameter;
    const text = decode(rawValue);
    const value = text === undefined ? undefined : parse(parameter, text, caps);
    if (value === undefined) {
      const shown = text === undefined ? `${rawValue} is not percent-encoded UTF-8` : JSON.stringify(text);
      problems.push(`${name} ${shown}: expected ${describeAllowed(parameter, caps)}`);
    } else {
      values[name] = value;
    }
  }
  problems.push(...disagreements(parameters, seen, values));
  if (problems.length > 0) {
    return { problems };
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    values[name] ??= parameter.kind === "flag" ? false : defaultOf(parameter);
  }
  return { values: values as Values<S> };
}

export interface ReadOptions {
  readonly caps: Caps;
  readonly given?: readonly Pair[];
  readonly ignoresUnknown?: boolean;
}

/** Whether a query has any of these parameters. Cheap, because it also runs for plain handshakes. */
export function hasAnyOf(parameters: Parameters, query: string): boolean {
  return splitQuery(query).some(([name]) => Object.hasOwn(parameters, decode(name) ?? name));
}

/** The allowed values, as they follow "expected". */
export function describeAllowed(parameter: Parameter, caps: Caps = defaultCaps): string {
  switch (parameter.kind) {
    case "duration":
      return `a duration from ${formatDuration(parameter.min)} to ${formatDuration(maxOf(parameter, caps))}, such as ${parameter.example}`;
    case "size": {
      const [from, to] = [formatSize(parameter.min), formatSize(maxOf(parameter, caps))];
      return `a size from ${from} to ${to}${parameter.perSecond ? " per second" : ""}, such as ${parameter.example}`;
    }
    case "count":
      return `a whole number from ${parameter.min} to ${parameter.max}`;
    case "choice":
      return parameter.choices.join(", ").replace(/, ([^,]*)$/, " or $1");
    case "flag":
      return "no value, true or false";
    case "text":
      return parameter.expected ?? `at most ${parameter.maxBytes} bytes of UTF-8`;
    case "closeCode":
      return "1000 to 1003, 1007 to 1014, 3000 to 4999, or none for an empty close frame";
    case "status":
      return "a status from 200 to 599, or 0 for no response";
  }
}

/** Formats a value for a query. */
export function formatValue(parameter: Parameter, value: unknown): string {
  switch (parameter.kind) {
    case "duration":
      return formatDuration(Number(value));
    case "size":
      return formatSize(Number(value));
    case "closeCode":
      return value === 0 ? "none" : String(value);
    default:
      return String(value);
  }
}

/** Formats values as a query, in the order of the parameters, without those that are off or undefined. */
export function formatQuery<S extends Parameters>(parameters: S, values: Partial<Values<S>>): string {
  return Object.entries(parameters)
    .filter(([name]) => values[name] !== undefined && values[name] !== false)
    .map(([name, parameter]) =>
      values[name] === true
        ? name
        : `${name}=${encodeURIComponent(formatValue(parameter, values[name])).replaceAll("%2F", "/")}`,
    )
    .join("&");
}

/** The value of an omitted parameter; undefined if it has no default. */
export function defaultOf(parameter: Parameter): number | string | undefined {
  return "default" in parameter ? parameter.default : undefined;
}

function maxOf(parameter: DurationParameter | SizeParameter, caps: Caps): number {
  return parameter.cap === undefined ? parameter.max : Math.min(parameter.max, caps[parameter.cap]);
}

function splitQuery(query: string): Pair[] {
  return query
    .split("&")
    .filter((piece) => piece !== "")
    .map((piece) => {
      const at = piece.indexOf("=");
      return at < 0 ? [piece, ""] : [piece.slice(0, at), piece.slice(at + 1)];
    });
}

// application/x-www-form-urlencoded: a plus is a blank.
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function parse(parameter: Parameter, text: string, caps: Caps): number | string | boolean | undefined {
  switch (parameter.kind) {
    case "duration":
      return within(attempt(parseDuration, text), parameter.min, maxOf(parameter, caps));
    case "size": {
      const bare = parameter.perSecond ? text.replace(/\/s$/, "") : text;
      return within(attempt(parseSize, bare), parameter.min, maxOf(parameter, caps));
    }
    case "count":
      return within(wholeNumber(text), parameter.min, parameter.max);
    case "choice":
      return parameter.choices.includes(text) ? text : undefined;
    case "flag":
      return text === "" || text === "true" ? true : text === "false" ? false : undefined;
    case "text":
      return isText(parameter, text) ? text : undefined;
    case "closeCode":
      return text === "none" ? 0 : isCloseCode(wholeNumber(text)) ? wholeNumber(text) : undefined;
    case "status":
      return text === "0" ? 0 : within(wholeNumber(text), 200, 599);
  }
}

function attempt(read: (text: string) => number, text: string): number | undefined {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof UnitError) {
      return undefined;
    }
    throw error;
  }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function isText({ maxBytes, pattern }: TextParameter, text: string): boolean {
  return (
    new TextEncoder().encode(text).length <= maxBytes &&
    (pattern === undefined || new RegExp(pattern, "u").test(text))
  );
}

/** Whether a server may send this close code (RFC 6455, section 7.4). */
export function isCloseCode(code: number | undefined): boolean {
  return (
    code !== undefined &&
    ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999))
  );
}

function disagreements(
  parameters: Parameters,
  seen: ReadonlySet<string>,
  values: Readonly<Record<string, unknown>>,
): string[] {
  const problems: string[] = [];
  for (const name of seen) {
    const { needs, excludes = [], atMost } = parameters[name] as Parameter;
    if (values[name] === false) {
      continue;
    }
    if (needs !== undefined && !needs.some((other) => seen.has(other))) {
      problems.push(`${name}: needs ${needs.join(" or ")}`);
    }
    for (const other of excludes.filter((each) => seen.has(each) && values[each] !== false)) {
      problems.push(`${name}: contradicts ${other}`);
    }
    if (atMost !== undefined && Number(values[name]) > Number(values[atMost])) {
      problems.push(`${name}: must not exceed ${atMost}`);
    }
  }
  return problems;
}
