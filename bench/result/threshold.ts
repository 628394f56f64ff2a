// Parses and checks thresholds: `p99<5ms`, `rate>100000`, `lost==0`.

import { formatBytes, formatDurationUs, formatNumber, formatPercent } from "../../src/lib/format.ts";
import { parseDuration, parseNumber, parseSize, UnitError } from "../../src/lib/units.ts";
import { countUpTo, sparseOf } from "./bootstrap.ts";
import { decodeHistogram } from "./histogram.ts";
import type { EncodedHistogram, FigureUnit, Result } from "./schema.ts";

type Measured = Pick<
  Result,
  | "summary"
  | "messages"
  | "connections"
  | "errors"
  | "client"
  | "server"
  | "histograms"
  | "steadiness"
  | "probe"
>;

/** A condition on one figure of a Result. */
export interface Threshold {
  /** The typed text. */
  readonly expression: string;
  readonly metric: string;
  readonly operator: string;
  /** Times are in microseconds. */
  readonly value: number;
}

/** A figure that a threshold can name. */
export interface Metric<T> {
  readonly unit: FigureUnit;
  readonly read: (measured: T) => number | null;
}

/** The figures of a kind of document. */
export interface Metrics<T> {
  /** As help texts and errors list them. */
  readonly names: readonly string[];
  readonly find: (name: string) => Metric<T> | undefined;
}

export const count = <T>(read: Metric<T>["read"]): Metric<T> => ({ unit: null, read });
export const time = <T>(read: Metric<T>["read"]): Metric<T> => ({ unit: "us", read });
export const bytes = <T>(read: Metric<T>["read"]): Metric<T> => ({ unit: "bytes", read });
export const percent = <T>(read: Metric<T>["read"]): Metric<T> => ({ unit: "percent", read });

/** Metrics that have nothing but a name. */
export function metricsOf<T>(byName: Readonly<Record<string, Metric<T>>>): Metrics<T> {
  const known = new Map(Object.entries(byName));
  return { names: [...known.keys()], find: (name) => known.get(name) };
}

const latencyKeys = ["min", "mean", "p50", "p90", "p99", "p999", "p9999", "max"] as const;

const metricNames = new Map<string, Metric<Measured>>([
  ...latencyKeys.map((key) => [key, time<Measured>((m) => m.summary.latencyUs?.[key] ?? null)] as const),
  ...latencyKeys.map(
    (key) => [`service.${key}`, time<Measured>((m) => m.summary.serviceUs?.[key] ?? null)] as const,
  ),
  ...latencyKeys.map(
    (key) => [`probe.${key}`, time<Measured>((m) => m.probe?.latencyUs?.[key] ?? null)] as const,
  ),
  ["lag", time((m) => m.client.lagUs)],
  ["rate", count((m) => m.summary.messagesPerSecond)],
  ["bytes", bytes((m) => m.summary.bytesPerSecond)],
  ["lost", count((m) => m.messages.lost)],
  ["corrupt", count((m) => m.messages.corrupt)],
  ["failed", count((m) => m.connections.failed)],
  ["closed", count((m) => m.connections.closedEarly)],
  ["errors", count((m) => Object.values(m.errors).reduce((sum, n) => sum + n, 0))],
  ["due", count((m) => m.messages.due)],
  ["unsent", count((m) => m.messages.unsent)],
  ["steady", count((m) => steadyOf(m))],
  ["client.cpu", percent((m) => m.client.cpuPercent)],
  ["server.cpu", percent((m) => m.server?.cpuPercent ?? null)],
  ["server.rss", bytes((m) => m.server?.rssBytes ?? null)],
]);

/** 1 or 0; null if the run was too short. */
function steadyOf({ steadiness: { verdict } }: Measured): number | null {
  return verdict === "too-short" ? null : Number(verdict === "steady");
}

const operators = new Map<string, (actual: number, value: number) => boolean>([
  ["<", (actual, value) => actual < value],
  ["<=", (actual, value) => actual <= value],
  [">", (actual, value) => actual > value],
  [">=", (actual, value) => actual >= value],
  ["==", (actual, value) => actual === value],
  ["!=", (actual, value) => actual !== value],
]);

/** The metrics that a threshold can name. */
export const thresholdMetrics: readonly string[] = [...metricNames.keys(), "within(TIME)"];

const withinPattern = /^within\(([^)]+)\)$/i;

/** A metric by its name; `within(5ms)` is the share of due messages answered in that time. */
function metricOf(name: string): Metric<Measured> | undefined {
  const [, limit] = withinPattern.exec(name) ?? [];
  return limit === undefined
    ? metricNames.get(name)
    : percent((measured) => percentWithin(measured, timeUs(name, limit)));
}

const resultMetrics: Metrics<Measured> = { names: thresholdMetrics, find: metricOf };

/** Messages that were lost, corrupt or never sent were not answered in time. */
function percentWithin({ histograms, messages }: Measured, limitUs: number): number | null {
  const upTo = (encoded: EncodedHistogram | null): number => {
    if (encoded === null) {
      return 0;
    }
    const { histogram, unitNs } = decodeHistogram(encoded);
    return countUpTo(sparseOf(histogram), (limitUs * 1000) / unitNs);
  };
  return messages.due === 0
    ? null
    : (100 * (upTo(histograms.latency) - upTo(histograms.unsent))) / messages.due;
}

/**
 * Reads a threshold: METRIC OPERATOR VALUE, where times have a unit (`p99<5ms`) and other figures may have k or M.
 * @throws UnitError that says what is allowed
 */
export function parseThreshold(expression: string): Threshold {
  return parseThresholdOf(resultMetrics, expression);
}

/** Reads a threshold on the figures of any kind of document. @throws UnitError that says what is allowed */
export function parseThresholdOf<T>({ names, find }: Metrics<T>, expression: string): Threshold {
  const [, metric = "", operator = "", text = ""] =
    /^\s*([a-z0-9.]+(?:\([^)]*\))?)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*$/i.exec(expression) ?? [];
  const known = find(metric);
  const [, limit] = withinPattern.exec(metric) ?? [];
  if (limit !== undefined) {
    timeUs(expression, limit);
  }
  if (known === undefined || !operators.has(operator)) {
    throw new UnitError(
      `"${expression}" is not a threshold: write a metric (${names.join(", ")}), ` +
        "one of < <= > >= == != and a value, as in p99<5ms",
    );
  }
  return {
    expression,
    metric,
    operator,
    value: readValue(expression, text, known.unit),
  };
}

function readValue(expression: string, text: string, unit: FigureUnit): number {
  if (unit === "us") {
    return timeUs(expression, text);
  }
  return unit === "bytes" && /b$/i.test(text) ? parseSize(text) : parseNumber(text.replace(/%$/, ""));
}

function timeUs(expression: string, text: string): number {
  if (!/[a-z]/i.test(text)) {
    throw new UnitError(`"${expression}" compares a time with a bare number: give it a unit, as in 5ms`);
  }
  return parseDuration(text) * 1000;
}

/** The time that a threshold allows for a reply; undefined when it bounds something else, or from below. */
export function timeLimitUs({ expression, metric, operator, value }: Threshold): number | undefined {
  const [, limit] = withinPattern.exec(metric) ?? [];
  if (limit !== undefined) {
    return operator.startsWith(">") ? timeUs(expression, limit) : undefined;
  }
  return metricOf(metric)?.unit === "us" && operator.startsWith("<") ? value : undefined;
}

/** What `--require` asks for, as thresholds. */
export function requiredThresholds(required: "steady" | undefined): Threshold[] {
  return required === undefined ? [] : [parseThreshold("steady==1")];
}

/** The unit of the metric that an expression names; null for counts and rates, and for what no threshold names. */
export function unitOf(expression: string): FigureUnit {
  const [name = ""] = /[a-z0-9.]+(?:\([^)]*\))?/i.exec(expression) ?? [];
  return metricOf(name)?.unit ?? null;
}

/** Holds the figures against the thresholds. A figure that is not known does not pass. */
export function evaluateThresholds(
  thresholds: readonly Threshold[],
  measured: Measured,
): Result["thresholds"] {
  return evaluateThresholdsOf(resultMetrics, thresholds, measured);
}

export function evaluateThresholdsOf<T>(
  { find }: Metrics<T>,
  thresholds: readonly Threshold[],
  measured: T,
): Result["thresholds"] {
  return thresholds.map(({ expression, metric, operator, value }) => {
    const { read, unit = null } = find(metric) ?? {};
    const actual = read?.(measured) ?? null;
    const passed = actual !== null && (operators.get(operator)?.(actual, value) ?? false);
    return { expression, actual, unit, passed };
  });
}

/** What a threshold's metric was, in its unit. */
export function formatActual({
  actual,
  unit,
}: Pick<Result["thresholds"][number], "actual" | "unit">): string {
  if (actual === null) {
    return "unknown";
  }
  switch (unit) {
    case "us":
      return formatDurationUs(actual);
    case "bytes":
      return formatBytes(actual);
    case "percent":
      return formatPercent(actual);
    case null:
      return formatNumber(actual);
  }
}
