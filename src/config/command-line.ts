// Parses the command line with commander: flags, toggles, commands.
import { type Command, CommanderError } from "commander";
import { type Shell, shells } from "../lib/completion.ts";
import { didYouMean } from "../lib/suggest.ts";
import { colorChoices } from "../lib/terminal.ts";
import { buildCommand } from "./help.ts";
import { isOff, isOn, listOr, onOrOff } from "./option.ts";
import {
  ConfigError,
  flagName,
  isToggle,
  optionNames,
  type ResolvedConfig,
  resolveConfig,
} from "./resolve.ts";

/** A parsed command line. */
export type CommandLine =
  | { readonly action: "help"; readonly topic: string | undefined }
  | { readonly action: "version" }
  | { readonly action: "completion"; readonly shell: Shell }
  | { readonly action: "print-config"; readonly format: "text" | "json"; readonly resolved: ResolvedConfig }
  | { readonly action: "serve" | "health"; readonly resolved: ResolvedConfig };

const commandNames = ["health", "completion", "help"];

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
  const { operands, unknown } = parse(command, expandToggles(args, problems), problems);
  const flags: Record<string, unknown> = command.opts();
  const [action, ...words] = operands;
  if (action === "help" || flags["help"] === true) {
    const topic = action === "help" ? words[0] : action;
    return { action: "help", topic: topic !== undefined && commandNames.includes(topic) ? topic : undefined };
  }
  if (flags["version"] === true) {
    return { action: "version" };
  }
  const known = command.options.flatMap(({ long }) => long ?? []);
  for (const flag of unknown.filter((text) => text.startsWith("-"))) {
    problems.push(`${flag}: unknown option.${didYouMean(flag.replace(/=.*/, ""), known)}`);
  }
  if (action === "completion") {
    return readCompletion(words, problems);
  }
  problems.push(...wrongWords(action, words));
  return readServing(command, action, problems, environment);
}

function readServing(
  command: Command,
  action: string | undefined,
  problems: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const flags: Record<string, unknown> = command.opts();
  const given = Object.fromEntries(
    optionNames
      .filter((name) => command.getOptionValueSource(name) === "cli")
      .map((name) => [name, flags[name]]),
  );
  const format = flags["printConfig"] === true ? "text" : flags["printConfig"];
  const all = [
    ...problems,
    // A valid value has already been removed from the arguments.
    ...wrongChoice("--color", flags["color"], colorChoices),
    ...wrongChoice("--print-config", format, ["text", "json"]),
  ];
  try {
    const resolved = resolveConfig(given, environment);
    if (all.length > 0) {
      throw new ConfigError([]);
    }
    if (format === "text" || format === "json") {
      return { action: "print-config", format, resolved };
    }
    return { action: action === "health" ? "health" : "serve", resolved };
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new ConfigError([...all, ...error.problems]);
    }
    throw error;
  }
}

function wrongChoice(flag: string, given: unknown, choices: readonly string[]): string[] {
  return given === undefined || choices.some((choice) => choice === given)
    ? []
    : [`${flag} ${JSON.stringify(given)}: expected ${listOr(choices)}`];
}

function wrongWords(action: string | undefined, words: readonly string[]): string[] {
  const isKnown = action === undefined || action === "health";
  return [
    ...(isKnown ? [] : [`${action}: unknown command.${didYouMean(action, commandNames)}`]),
    ...(words.length === 0 ? [] : [`${words.join(" ")}: unexpected argument`]),
  ];
}

function readCompletion([word, ...surplus]: readonly string[], problems: readonly string[]): CommandLine {
  const shell = shells.find((each) => each === word);
  const all = [
    ...problems,
    ...(shell === undefined
      ? [`${["completion", ...(word === undefined ? [] : [word])].join(" ")}: expected bash, zsh or fish`]
      : []),
    ...(surplus.length === 0 ? [] : [`${surplus.join(" ")}: unexpected argument`]),
  ];
  if (shell === undefined || all.length > 0) {
    throw new ConfigError(all);
  }
  return { action: "completion", shell };
}

// commander's toggles have no value, so `--goodbye=true` and `--console=off` become `--goodbye` and `--no-console`.
function expandToggles(args: readonly string[], problems: string[]): string[] {
  const toggles = new Map(optionNames.filter(isToggle).map((name) => [flagName(name), name]));
  return args.flatMap((arg) => {
    const [, flag = "", value = ""] = /^(--[a-z-]+)=(.*)$/.exec(arg) ?? [];
    if (!toggles.has(flag)) {
      return [arg];
    }
    if (!isOn(value) && !isOff(value)) {
      problems.push(`${flag} ${JSON.stringify(value)}: expected ${onOrOff}`);
      return [];
    }
    return [isOn(value) ? flag : flag.replace("--", "--no-")];
  });
}

// commander stops at the first flag without its value; that is reported with the other problems.
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
