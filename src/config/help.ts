// Builds the commands, flags and help of uws-echo from the table of options.
import { Command, Option as Flag } from "commander";
import { shells } from "../lib/completion.ts";
import { colorChoices, colorHelp, paintFor, wantsColor, widthFor } from "../lib/terminal.ts";
import { optionGroups } from "./option.ts";
import { flagName, isToggle, negatedFlagName, type OptionName, optionNames, optionRow } from "./resolve.ts";

/** Below this width, a description would have only a few words per line. */
const minDescriptionWidth = 30;

/** Builds the command with its help. `subcommand()` finds a command by name. */
export function buildCommand(): Command {
  const command = new Command("uws-echo")
    .usage("[command] [options]")
    .description(
      "A WebSocket echo server on uWebSockets.js, with Prometheus metrics. Without a command, it starts the server.\n\n" +
        "Each option is also a variable, such as UWS_ECHO_MAX_PAYLOAD for --max-payload; flags take precedence.\n" +
        "Sizes: 4096, 64KiB, 16MiB. Durations: 500ms, 30s, 2m, 1h. Rates: 500, 20k/s.",
    )
    .helpOption(false)
    .helpCommand(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
      getOutHelpWidth: () => widthFor(process.stdout),
      getOutHasColors: () => wantsColor(process.stdout),
    })
    .configureHelp({ minWidthToWrap: minDescriptionWidth, ...helpStyle() });
  for (const group of optionGroups) {
    for (const name of optionNames.filter((each) => optionRow(each).group === group)) {
      for (const flag of flagsFor(name)) {
        command.addOption(flag);
      }
    }
  }
  const printConfig = new Flag(
    "--print-config [format]",
    "print every option with its value and source, and exit",
  );
  printConfig.argChoices = ["text", "json"];
  command.addOption(printConfig);
  const color = new Flag("--color <when>", `${colorHelp} (default: auto)`);
  color.argChoices = [...colorChoices];
  command.addOption(color);
  command.addOption(new Flag("-V, --version", "print the version and exit"));
  command.addOption(new Flag("-h, --help", "print this and exit"));
  addCommands(command);
  return command;
}

function addCommands(command: Command): void {
  const sub = (name: string, summary: string, description: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(description)
      .helpOption(false)
      .copyInheritedSettings(command);
  sub(
    "health",
    "ask a running server whether it is alive",
    "Requests /livez from a running server and exits with 0 if it is alive, else with 1. It accepts all options and variables of " +
      "the server that it asks, so that both can be configured alike; it reads --host, --port, --admin-host, --admin-port and " +
      "--tls-cert.",
  ).usage("[options]");
  sub(
    "completion",
    "print a completion script for commands and flags",
    "Prints a completion script. Load it in your shell, or in its start-up file:\n\n" +
      "  bash  source <(uws-echo completion bash)\n" +
      "  zsh   source <(uws-echo completion zsh)    # after compinit\n" +
      "  fish  uws-echo completion fish | source",
  )
    .usage("<shell>")
    .addArgument(command.createArgument("<shell>").choices(shells));
  sub("help", "show the help of uws-echo or of a command", "Shows the help of uws-echo, or of a command.")
    .usage("[command]")
    .addArgument(command.createArgument("[command]").choices(["health", "completion"]));
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
    return { flags: negatedFlagName(name), description: `turns off ${row.help}`, defaultText: "on" };
  }
  const defaultText =
    row.defaultNote ?? row.format(typeof row.default === "function" ? row.default() : row.default);
  const flags = row.placeholder === undefined ? flag : `${flag} ${row.placeholder}`;
  return { flags, description: row.help, defaultText };
}

/** The flag of an option, and for a toggle its hidden opposite. */
function flagsFor(name: OptionName): Flag[] {
  const { flags, description, defaultText } = flagText(name);
  const text = defaultText === "on" ? description : `${description} (default: ${defaultText})`;
  const shown = new Flag(flags, text).helpGroup(`${optionRow(name).group}:`);
  const { choices } = optionRow(name);
  // The table checks values. Set this way, the choices are completed but commander does not check them.
  if (choices !== undefined) {
    shown.argChoices = [...choices];
  }
  if (!isToggle(name)) {
    return [shown];
  }
  const other = flags.startsWith("--no-") ? flagName(name) : negatedFlagName(name);
  return [shown, new Flag(other, description).helpGroup(`${optionRow(name).group}:`).hideHelp()];
}

function helpStyle() {
  const paint = paintFor(process.stdout);
  return {
    styleTitle: paint.bold,
    styleOptionTerm: paint.cyan,
    styleSubcommandTerm: paint.cyan,
    // The choices are already in the placeholder or in the help text.
    optionDescription: (flag: Flag) => flag.description,
  };
}
