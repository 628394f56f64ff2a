// What a request asks of an endpoint on demand: parses its path and query, and says what is wrong with them.
import { type Behaviour, type BehaviourName, behaviours } from "../../lib/behaviours.ts";
import type { Caps, Parameters } from "../../lib/parameter.ts";
import { formatQuery, readParameters } from "../../lib/parameters.ts";
import { matchPath } from "../../lib/path-pattern.ts";
import { type Refusal, refuse } from "../refusals.ts";

/** The parsed parameters of a request. */
export interface Reading {
  readonly asked: unknown;
  /** The parsed parameters, as a path with a query. */
  readonly understood: string;
  readonly problems?: readonly string[];
}

/** What the options allow. */
export interface Allowed {
  readonly caps: Caps;
  /** Whether the endpoint is on; the parameters of one that is off are unknown. */
  readonly isOn: boolean;
  /** Whether `/inspect` is on. */
  readonly canInspect: boolean;
}

/** Parses the parameters of an endpoint from path and query. */
export function readAsked(
  name: BehaviourName,
  path: string,
  query: string,
  { caps, isOn, canInspect }: Allowed,
): Reading {
  const row: Behaviour = behaviours[name];
  const { segments } = row;
  const ignoresUnknown = name === "echo";
  const given = name === "echo" ? [] : (matchPath(row.path, path) ?? []);
  const parameters: Parameters = isOn ? row.parameters : {};
  const inPath = readParameters(segments, "", { caps, given });
  const inQuery = readParameters(parameters, query, { caps, ignoresUnknown });
  const problems = [...(inPath.problems ?? []), ...(inQuery.problems ?? [])];
  const handshake = inQuery.values as { readonly greet?: string } | undefined;
  if (name === "echo" && handshake?.greet === "inspect" && !canInspect) {
    problems.push("greet inspect: /inspect is off (--no-inspect)");
  }
  if (problems.length > 0) {
    return { asked: undefined, understood: path, problems };
  }
  const asked = { ...inPath.values, ...inQuery.values };
  const understood = formatQuery(parameters, inQuery.values ?? {});
  return { asked, understood: understood === "" ? path : `${path}?${understood}` };
}

export function badParameters(path: string, problems: readonly string[]): Refusal {
  const lines = problems.map((problem) => `  ${problem}\n`).join("");
  return refuse("bad_parameter", `${path}: invalid parameters:\n${lines}`);
}
