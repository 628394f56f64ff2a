// Generates completion scripts for bash, zsh and fish from a commander program.

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The part of commander's Option that completion reads. */
interface FlagLike {
  readonly short?: string | undefined;
  readonly long?: string | undefined;
  readonly flags: string;
  readonly description: string;
  readonly required: boolean;
  readonly argChoices?: readonly string[] | undefined;
}

/** The part of commander's Command that completion reads. */
export interface CommandLike {
  name(): string;
  summary(): string;
  description(): string;
  readonly commands: readonly CommandLike[];
  readonly options: readonly FlagLike[];
  readonly registeredArguments: readonly { readonly argChoices?: readonly string[] | undefined }[];
}

/** A flag and its values. */
interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  readonly value: "none" | "any" | "file" | readonly string[];
}

/** One place on the command line: the program itself, or one of its commands. */
interface Place {
  /** Empty for the program itself. */
  readonly command: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** Words that may stand here. */
  readonly words: readonly string[];
}

/**
 * Generates a script that completes the flags, commands and choices of a program. The shell reads it once, as in
 * `source <(uws-echo completion bash)`.
 * @param sharedFlags whether commands accept the flags of the program itself
 */
export function completionScript(shell: Shell, program: CommandLike, sharedFlags: boolean): string {
  const own = program.options.map(flagOf);
  const places: Place[] = [
    { command: "", description: "", flags: own, words: program.commands.map((command) => command.name()) },
    ...program.commands.map((command) => ({
      command: command.name(),
      description: command.summary() || command.description(),
      flags: [...command.options.map(flagOf), ...(sharedFlags ? own : [])],
      words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    })),
  ];
  const write = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return write(program.name(), places);
}

function flagOf({ short, long, flags, description, required, argChoices }: FlagLike): Flag {
  const names = [short, long].filter((name) => name !== undefined);
  const placeholder = /<(.*)>/.exec(flags)?.[1] ?? "";
  // `<n|auto>` completes to `auto`; a shell cannot complete a number.
  const words = placeholder.includes("|")
    ? placeholder.split("|").filter((word) => /^[a-z-]{2,}$/.test(word))
    : [];
  const value = !required
    ? "none"
    : argChoices !== undefined
      ? argChoices
      : words.length > 0
        ? words
        : placeholder.includes("file")
          ? "file"
          : "any";
  return { names, description, value };
}

function bashScript(program: string, places: readonly Place[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const cases = places.map(({ command, flags, words }) => {
    const values = flags.flatMap(({ names, value }) => {
      const label = `    ${names.map((each) => `"${command}:${each}"`).join("|")})`;
      if (value === "none") {
        return [];
      }
      const reply =
        value === "file" ? 'COMPREPLY=($(compgen -f -- "$word"))' : value === "any" ? ":" : compgen(value);
      return [`${label} ${reply}; return ;;`];
    });
    const all = [...flags.flatMap(({ names }) => names), ...words];
    return { values, all: `    "${command}") ${compgen(all)} ;;` };
  });
  const commands = places.flatMap(({ command }) => (command === "" ? [] : [command]));
  return `# bash completion of ${program}
${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" command="" at
  # "--flag=value" comes as three words.
  if [ "$word" = "=" ]; then word=""; elif [ "$before" = "=" ]; then before="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in ${commands.join("|")}) command="\${COMP_WORDS[at]}"; break ;; esac
  done
  COMPREPLY=()
  case "$command:$before" in
${cases.flatMap(({ values }) => values).join("\n")}
  esac
  case "$command" in
${cases.map(({ all }) => all).join("\n")}
  esac
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F ${name} ${program}
`;
}

function compgen(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word"))`;
}

function zshScript(program: string, places: readonly Place[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const specs = (flags: readonly Flag[]): string =>
    flags
      .flatMap(({ names, description, value }) =>
        names.map((each) =>
          zshQuote(`*${each}${zshValue(each, value)}[${zshText(description)}]${zshAction(value)}`),
        ),
      )
      .map((spec) => `        ${spec}`)
      .join(" \\\n");
  const [root, ...commands] = places;
  const list = commands
    .map(({ command, description }) => `      ${zshQuote(`${command}:${description}`)}`)
    .join("\n");
  const cases = commands.map(({ command, flags, words }) => {
    const rest = words.length > 0 ? `'*: :(${words.join(" ")})'` : "'*: :_files'";
    return `        ${command})\n          _arguments \\\n${specs(flags)}${flags.length > 0 ? " \\\n" : ""}        ${rest} ;;`;
  });
  return `#compdef ${program}
# zsh completion of ${program}
${name}() {
  local state line
  local -a commands=(
${list}
  )
  _arguments -C \\
${specs(root?.flags ?? [])} \\
        '1: :->command' '*:: :->rest' && return
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "${name}" ]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

/** Long flags take their value after an equals sign or as the next word. */
function zshValue(name: string, value: Flag["value"]): string {
  return value !== "none" && name.startsWith("--") ? "=" : "";
}

function zshAction(value: Flag["value"]): string {
  switch (value) {
    case "none":
      return "";
    case "any":
      return ":value: ";
    case "file":
      return ":file:_files";
    default:
      return `:value:(${value.join(" ")})`;
  }
}

/** Text inside the brackets of an _arguments specification. */
function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(program: string, places: readonly Place[]): string {
  const commands = places.flatMap(({ command }) => (command === "" ? [] : [command]));
  const none = `not __fish_seen_subcommand_from ${commands.join(" ")}`;
  const lines = places.flatMap(({ command, description, flags, words }) => {
    const condition = command === "" ? none : `__fish_seen_subcommand_from ${command}`;
    const base = `complete -c ${program} -n '${condition}'`;
    const head =
      command === ""
        ? []
        : [`complete -c ${program} -n '${none}' -f -a ${command} -d ${fishQuote(description)}`];
    const rest = command !== "" && words.length > 0 ? [`${base} -f -a '${words.join(" ")}'`] : [];
    return [
      ...head,
      ...rest,
      ...flags.map(({ names, description: help, value }) => {
        const letters = names.map((name) =>
          name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
        );
        return `${base} ${letters.join(" ")}${fishValue(value)} -d ${fishQuote(help)}`;
      }),
    ];
  });
  return `# fish completion of ${program}\n${lines.join("\n")}\n`;
}

function fishValue(value: Flag["value"]): string {
  switch (value) {
    case "none":
      return "";
    case "any":
      return " -x";
    case "file":
      return " -r -F";
    default:
      return ` -x -a '${value.join(" ")}'`;
  }
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
