// Parses conditions that end a session: `p99>50ms:5s`.

import { parseDuration, parseNumber, UnitError } from "../../src/lib/units.ts";
import { type Abort, type AbortMetric, abortMetrics } from "./scenario.ts";

const pattern = /^\s*([a-z0-9]+)\s*(>=|<=|>|<)\s*([^:\s]+)\s*(?::\s*(\S+)\s*)?$/i;
const times: readonly AbortMetric[] = ["p50", "p99", "max", "lag"];

/**
 * Reads a condition: METRIC OPERATOR VALUE:TIME. The default time is one second.
 * @throws UnitError that says what is allowed
 */
export function parseAbort(expression: string): Abort {
  const [, name = "", operator, value = "", time = "1s"] = pattern.exec(expression) ?? [];
  const metric = abortMetrics.find((each) => each === name);
  if (metric === undefined || !isOperator(operator)) {
    throw new UnitError(
      `"${expression}" is not a condition: write a metric (${abortMetrics.join(", ")}), one of < <= > >=, ` +
        "a value and for how long, as in p99>50ms:5s",
    );
  }
  return {
    expression,
    metric,
    operator,
    value: times.includes(metric) ? 1000 * parseDuration(value) : parseNumber(value),
    forMs: parseDuration(time),
  };
}

function isOperator(text: string | undefined): text is Abort["operator"] {
  return text === ">" || text === ">=" || text === "<" || text === "<=";
}
