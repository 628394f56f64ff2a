// docs/reference/harness.md: the commands, options and exit codes of uws-echo-bench, from its command line.
import type { Command } from "commander";
import { exitCodeMeanings } from "../../bench/commands/exit-codes.ts";
import { createProgram } from "../../bench/commands/program.ts";
import { code, generated, plain, table } from "./markdown.ts";

export function harnessReference(): string {
  return [
    generated("The harness", "bench/commands"),
    "\n[How it measures, and what its figures mean](../measuring.md). [Sizes, durations and rates](units.md) are written as in the server's options.\n",
    ...createProgram().commands.map(commandSection),
    "\n## Exit codes\n\n",
    table(
      ["Code", "Meaning"],
      exitCodeMeanings.map(([exitCode, meaning]) => [String(exitCode), meaning]),
    ),
  ].join("");
}

function commandSection(command: Command): string {
  const usage = `uws-echo-bench ${command.name()} ${command.usage()}`;
  const options = command.options.map(({ flags, description, defaultValue }) => [
    code(flags),
    isShown(defaultValue) ? plain(String(defaultValue)) : "",
    plain(description),
  ]);
  return `\n## ${command.name()}\n\n${command.description()}\n\n\`\`\`text\n${usage}\n\`\`\`\n\n${table(["Flag", "Default", "Meaning"], options)}`;
}

function isShown(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}
