// Resolves flags and variables to one frozen Config, or throws a ConfigError that lists every problem.

import { alignColumns } from "../lib/columns.ts";
import { UwsEchoError } from "../lib/errors.ts";
import { didYouMean } from "../lib/suggest.ts";
import { tlsConnectionsInMemory } from "../system/resources.ts";
import type { Option } from "./option.ts";
import { type Config, disagreements, options } from "./options.ts";
import { isTlsRelayed, tlsProblems } from "./tls.ts";

export type OptionName = keyof typeof options;
/** The source of a value. */
export type Source = "flag" | "variable" | "program" | "default";

/** Options from a program: values as in Config, or text as on the command line. */
export type ConfigInput = { readonly [Name in OptionName]?: Config[Name] | string | undefined };

/** The configuration cannot be used. `problems` has a sentence for each reason. */
export class ConfigError extends UwsEchoError<"ERR_CONFIG"> {
  override readonly name = "ConfigError";
  constructor(problems: readonly string[]) {
    super("ERR_CONFIG", problems);
  }
}

export interface ResolvedConfig {
  readonly config: Config;
  readonly sources: { readonly [Name in OptionName]: Source };
}

export const optionNames = Object.keys(options) as OptionName[];

/** The row of an option, without its value type. */
export function optionRow(name: OptionName): Option<unknown> {
  return options[name] as unknown as Option<unknown>;
}

/** Whether an option is a toggle, whose flag takes no value. */
export function isToggle(name: OptionName): boolean {
  return typeof optionRow(name).default === "boolean";
}

/** `maxPayload` -> `--max-payload`. */
export function flagName(name: OptionName): string {
  return `--${kebab(name)}`;
}

/** The flag that a toggle has besides its own: `--no-console`. */
export function negatedFlagName(name: OptionName): string {
  return flagName(name).replace("--", "--no-");
}

/** `maxPayload` -> `UWS_ECHO_MAX_PAYLOAD`. */
export function variableName(name: OptionName): string {
  return `UWS_ECHO_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
}

/**
 * Resolves every option: flags override variables, variables override defaults.
 * @param given flags (or a program's values) by option name
 * @param environment variables; empty ones count as unset
 * @throws ConfigError with every problem at once, including those of files and between options
 */
export function resolveConfig(
  given: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = {},
  givenSource: "flag" | "program" = "flag",
): ResolvedConfig {
  const problems = unknownNames(given);
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const name of optionNames) {
    const row = optionRow(name);
    const variable = variableValue(name, environment);
    const source = given[name] !== undefined ? givenSource : variable !== undefined ? "variable" : "default";
    sources[name] = source;
    if (source === "default") {
      values[name] = typeof row.default === "function" ? row.default() : row.default;
      continue;
    }
    const raw = source === "variable" ? variable : given[name];
    const label = source === "variable" ? variableName(name) : source === "flag" ? flagName(name) : name;
    const read = row.schema.safeParse(raw);
    if (read.success) {
      values[name] = read.data;
    } else {
      problems.push(`${label} ${show(raw)}: expected ${row.expected}`);
    }
  }
  problems.push(...tlsProblems(values as unknown as Config));
  // Rules between options need every option to be valid.
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  const config = Object.freeze(raiseDefaults(values as unknown as Config, sources));
  const contradictions = disagreements(config);
  if (contradictions.length > 0) {
    throw new ConfigError(contradictions);
  }
  return { config, sources: sources as ResolvedConfig["sources"] };
}

/** Unknown UWS_ECHO_* variables, which are probably misspelt. Skips those that Kubernetes sets. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(optionNames.map(variableName));
  return Object.keys(environment).filter(
    (key) => key.startsWith("UWS_ECHO_") && !known.has(key) && !/_(SERVICE|PORT)(_|$)/.test(key),
  );
}

/** A sentence for each unknown variable, with the closest known name. */
export function explainUnknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = optionNames.map(variableName);
  return unknownVariables(environment).map(
    (name) => `${name} is not a variable of uws-echo.${didYouMean(name, known)}`,
  );
}

/**
 * Every option as JSON, by the name that a program uses: its value (bytes, milliseconds), the value as text, flag, variable
 * and source.
 */
export function printConfigJson({ config, sources }: ResolvedConfig): string {
  const entries = optionNames.map((name) => {
    const value: unknown = config[name] ?? null;
    const text = optionRow(name).format(config[name]);
    return [name, { value, text, flag: flagName(name), variable: variableName(name), source: sources[name] }];
  });
  return JSON.stringify(Object.fromEntries(entries), undefined, 2);
}

/** Every option as it would be typed, and its source, one per line. */
export function printConfig({ config, sources }: ResolvedConfig): string {
  return alignColumns(
    optionNames.map((name) =>
      isToggle(name)
        ? [config[name] === true ? flagName(name) : negatedFlagName(name), "", sources[name]]
        : [flagName(name), optionRow(name).format(config[name]), sources[name]],
    ),
  ).join("\n");
}

// Raises defaults to the limits that they may not be below, so that one flag is enough to allow larger messages. Each
// worker has its own descriptors.
function raiseDefaults(config: Config, sources: Record<string, Source>): Config {
  const maxBackpressure =
    sources["maxBackpressure"] === "default"
      ? Math.max(config.maxBackpressure, config.maxPayload)
      : config.maxBackpressure;
  const maxBuffered =
    sources["maxBuffered"] === "default" ? Math.max(config.maxBuffered, maxBackpressure) : config.maxBuffered;
  const maxConnections =
    sources["maxConnections"] === "default" ? connectionsThatFit(config) : config.maxConnections;
  const tlsClientAuth =
    sources["tlsClientAuth"] === "default" && config.tlsCa !== undefined ? "request" : config.tlsClientAuth;
  const ofEachWorker = (name: "maxHttpConnections" | "maxHttpConnectionsPerIp"): number =>
    sources[name] === "default" ? config.workers * config[name] : config[name];
  return {
    ...config,
    maxBackpressure,
    maxBuffered,
    maxConnections,
    maxHttpConnections: ofEachWorker("maxHttpConnections"),
    maxHttpConnectionsPerIp: ofEachWorker("maxHttpConnectionsPerIp"),
    tlsClientAuth,
  };
}

// Each worker has its own descriptors; all share the memory.
function connectionsThatFit(config: Config): number {
  const { maxConnections, workers } = config;
  return isTlsRelayed(config)
    ? Math.max(16, Math.min(workers * Math.floor(maxConnections / 3), tlsConnectionsInMemory()))
    : workers * maxConnections;
}

function variableValue(name: OptionName, environment: Readonly<Record<string, string | undefined>>) {
  const value = environment[variableName(name)];
  if (value === undefined || value === "") {
    return undefined;
  }
  // Kubernetes sets UWS_ECHO_PORT=tcp://... for a Service named uws-echo, and the same for uws-echo-admin.
  return (name === "port" || name === "adminPort") && value.startsWith("tcp://") ? undefined : value;
}

function unknownNames(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(options, name))
    .map((name) => `${name}: unknown option`);
}

function show(raw: unknown): string {
  return typeof raw === "string" ? JSON.stringify(raw) : String(raw);
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
