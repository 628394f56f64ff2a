// Parses the command line with commander, from the table of options.
import { Command, CommanderError, Option as Flag } from "commander";
import { optionGroups } from "./option.ts";
import {
  ConfigError,
  flagName,
  type OptionName,
  optionNames,
  optionRow,
  type ResolvedConfig,
  resolveConfig,
} from "./resolve.ts";

/** What the command line asks for. */
export type CommandLine =
  | { readonly action: "help" | "version" }
  | { readonly action: "serve" | "health" | "print-config"; readonly resolved: ResolvedConfig };

/**
 * Reads flags and variables.
 * @param args without the program's name
 * @throws ConfigError with every problem at once
 */
export function readCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const command = buildCommand();
  const problems: string[] = [];
  const { operands, unknown } = parse(command, args, problems);
  const flags: Record<string, unknown> = command.opts();
  if (flags["help"] === true || unknown.some((flag) => flag === "-h" || flag === "--help")) {
    return { action: "help" };
  }
  if (flags["version"] === true) {
    return { action: "version" };
  }
  for (const flag of unknown.filter((text) => text.startsWith("-"))) {
    problems.push(`${flag}: unknown option`);
  }
  const [action, ...surplus] = operands;
  if (action !== undefined && action !== "health") {
    problems.push(`${action}: unknown command; the only one is health`);
  }
  if (surplus.length > 0) {
    problems.push(`${surplus.join(" ")}: unexpected argument`);
  }

  const given = Object.fromEntries(
    optionNames.filter((name) => isGiven(command, name)).map((name) => [name, flags[name]]),
  );
  try {
    const resolved = resolveConfig(given, environment);
    if (problems.length > 0) {
      throw new ConfigError([]);
    }
    if (flags["printConfig"] === true) {
      return { action: "print-config", resolved };
    }
    return { action: action === "health" ? "health" : "serve", resolved };
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new ConfigError([...problems, ...error.problems]);
    }
    throw error;
  }
}

/** The command with its help, made from the table. */
export function buildCommand(): Command {
  const command = new Command("uws-echo")
    .usage("[options]\n       uws-echo health [options]")
    .description(
      "A WebSocket echo server on uWebSockets.js, with Prometheus metrics.\n\n" +
        "health checks a running server with the same options and exits with 0 or 1.\n" +
        "Each option is also a variable, such as UWS_ECHO_MAX_PAYLOAD for --max-payload; flags take precedence.\n" +
        "Sizes: 4096, 64KiB, 16MiB. Durations: 500ms, 30s, 2m, 1h.",
    )
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ helpWidth: 110, showGlobalOptions: false });
  for (const group of optionGroups) {
    for (const name of optionNames.filter((each) => optionRow(each).group === group)) {
      command.addOption(flagFor(name));
    }
  }
  command.addOption(new Flag("--print-config", "print every option with its value and its source, and exit"));
  command.addOption(new Flag("-V, --version", "print the version and exit"));
  command.addOption(new Flag("-h, --help", "print this and exit"));
  return command;
}

/** An option as `--help` and the reference show it. */
export interface FlagText {
  /** The flag with its placeholder. */
  readonly flags: string;
  readonly description: string;
  readonly defaultText: string;
}

export function flagText(name: OptionName): FlagText {
  const row = optionRow(name);
  const flag = flagName(name);
  if (row.default === true) {
    return {
      flags: flag.replace("--", "--no-"),
      description: `turns off ${row.help}`,
      defaultText: "on",
    };
  }
  const defaultText =
    row.defaultNote ?? row.format(typeof row.default === "function" ? row.default() : row.default);
  const flags = row.placeholder === undefined ? flag : `${flag} ${row.placeholder}`;
  return { flags, description: row.help, defaultText };
}

function flagFor(name: OptionName): Flag {
  const { flags, description, defaultText } = flagText(name);
  const text = defaultText === "on" ? description : `${description} (default: ${defaultText})`;
  return new Flag(flags, text).helpGroup(`${optionRow(name).group}:`);
}

// commander stops at the first flag that lacks its value; it is reported with the other problems.
function parse(command: Command, args: readonly string[], problems: string[]) {
  try {
    return command.parseOptions([...args]);
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    problems.push(error.message.replace(/^error: /, ""));
    return { operands: [], unknown: [] };
  }
}

function isGiven(command: Command, name: OptionName): boolean {
  return command.getOptionValueSource(name) === "cli";
}
