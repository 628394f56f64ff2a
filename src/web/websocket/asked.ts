// Reads and writes URLs of endpoints on demand with their parameters. Pure.
import { type BehaviourName, behaviours } from "../../lib/behaviours.ts";
import { defaultCaps, type Parameters } from "../../lib/parameter.ts";
import { readParameters } from "../../lib/parameters.ts";
import { matchPath } from "../../lib/path-pattern.ts";

/** An endpoint on demand and the values of its parameters in a URL, decoded. */
export interface Asked {
  readonly name: BehaviourName;
  readonly values: ReadonlyMap<string, string>;
}

export const behaviourEntries = Object.entries(behaviours) as readonly [
  BehaviourName,
  (typeof behaviours)[BehaviourName],
][];

/** The endpoint of a URL; undefined if the table does not have it. */
export function readAsked(url: string): Asked | undefined {
  if (!URL.canParse(url)) {
    return undefined;
  }
  const { pathname, searchParams } = new URL(url);
  for (const [name, { path }] of behaviourEntries) {
    const segments = matchPath(path, pathname);
    if (segments !== undefined) {
      const decoded = segments.map(([key, value]) => [key, decodeURIComponent(value)] as const);
      return { name, values: new Map([...decoded, ...searchParams]) };
    }
  }
  return undefined;
}

/** Formats the URL of a request, on the same server as `url`. */
export function writeAsked(url: string, { name, values }: Asked): string {
  const { path, parameters } = behaviours[name];
  const written = new URL(url);
  written.pathname = path.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(values.get(key) ?? ""),
  );
  const query = Object.entries(parameters as Parameters).flatMap(([key, { kind }]) => {
    const value = values.get(key) ?? "";
    if (value === "") {
      return [];
    }
    const text = encodeURIComponent(value).replaceAll("%2F", "/").replaceAll("%20", "+");
    return kind === "flag" ? (value === "true" ? [key] : []) : [`${key}=${text}`];
  });
  written.search = query.join("&");
  return written.href;
}

/** All problems of the parameters, with the limits of a server with default options. */
export function problemsOf({ name, values }: Asked): readonly string[] {
  const { segments, parameters } = behaviours[name];
  const known: Parameters = { ...segments, ...parameters };
  const query = [...values]
    .filter(([key, value]) => Object.hasOwn(known, key) && value !== "")
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  return readParameters(known, query.join("&"), { caps: defaultCaps }).problems ?? [];
}

/** Describes the request of a URL; empty for a plain echo and for unknown paths. */
export function describeAsked(url: string): string {
  const asked = readAsked(url);
  if (asked === undefined) {
    return "";
  }
  const { summary, segments, parameters } = behaviours[asked.name];
  const known: Parameters = { ...segments, ...parameters };
  const details = [...asked.values].flatMap(([key, value]) => {
    const parameter = Object.hasOwn(known, key) ? known[key] : undefined;
    return parameter === undefined ? [] : [`${key}${value === "" ? "" : ` ${value}`}: ${parameter.help}`];
  });
  if (asked.name === "echo" && details.length === 0) {
    return "";
  }
  return `Asked: ${[...(asked.name === "echo" ? [] : [summary]), ...details].join("; ")}.`;
}
