// docs/reference/on-demand.md: the endpoints on demand with their parameters, from their table.
import { type Behaviour, behaviours } from "../../src/lib/behaviours.ts";
import type { Parameter } from "../../src/lib/parameter.ts";
import { defaultOf, describeAllowed, formatValue } from "../../src/lib/parameters.ts";
import { displayPath } from "../../src/lib/path-pattern.ts";
import { code, generated, plain, table } from "./markdown.ts";

export function onDemandReference(): string {
  const rows: readonly Behaviour[] = Object.values(behaviours);
  return (
    generated("Endpoints on demand", "src/lib/behaviours.ts") +
    "\n[What they are for, with examples](../endpoints.md#endpoints-on-demand). A value that is not allowed is refused with 400, never changed.\n" +
    rows.map(section).join("")
  );
}

function section({ path, summary, via, isUnsafe, segments, parameters }: Behaviour): string {
  const over = via.map((way) => (way === "http" ? "HTTP" : "WebSocket")).join(" and ");
  const note = isUnsafe ? " Only with `--endpoints all`." : "";
  const all = [
    ...Object.entries(segments).map(([name, parameter]) => row(`<${name}>`, parameter)),
    ...Object.entries(parameters).map(([name, parameter]) => row(name, parameter)),
  ];
  return (
    `\n## ${displayPath(path)}\n\n${plain(summary[0]?.toUpperCase() ?? "")}${plain(summary.slice(1))}. Over ${over}.${note}\n` +
    (all.length === 0 ? "" : `\n${table(["Parameter", "Allowed", "Default", "Meaning"], all)}`)
  );
}

function row(name: string, parameter: Parameter): string[] {
  const value = defaultOf(parameter);
  return [
    code(name),
    plain(describeAllowed(parameter)),
    value === undefined ? "" : code(formatValue(parameter, value)),
    plain(parameter.help),
  ];
}
