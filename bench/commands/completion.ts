// The command `completion`: prints a script for the user's shell.

import { Argument, type Command } from "commander";
import { completionScript, type Shell, shells } from "../../src/lib/completion.ts";

/** Adds `completion SHELL` to the program. */
export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .summary("print a completion script for commands and flags")
    .description(
      "Prints a completion script. Load it in your shell, or in its start-up file:\n\n" +
        "  bash  source <(uws-echo-bench completion bash)\n" +
        "  zsh   source <(uws-echo-bench completion zsh)    # after compinit\n" +
        "  fish  uws-echo-bench completion fish | source",
    )
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, program, false));
    });
}
