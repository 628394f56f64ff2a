// The program uws-echo-bench: its name, its commands and the help they share.
import { Command } from "commander";
import { packageVersion } from "../../src/lib/package.ts";
import { addCompareCommand } from "./compare.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { addHttpCommand } from "./http.ts";
import { addMergeCommand } from "./merge.ts";
import { addReportCommand } from "./report.ts";
import { addRunCommand } from "./run.ts";

const exitCodesHelp = `
Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`;

/** The whole command line; parsing it runs a command. */
export function createProgram(): Command {
  const program = new Command("uws-echo-bench")
    .description(
      "Measures WebSocket echo servers: rate, latency from the intended send time, and which side was the bottleneck",
    )
    .version(`uws-echo ${packageVersion()}`)
    .showHelpAfterError("(run uws-echo-bench --help, or a command with --help, for usage)")
    .addHelpText("after", exitCodesHelp)
    .exitOverride();
  addRunCommand(program);
  addHttpCommand(program);
  addCompareCommand(program);
  addReportCommand(program);
  addMergeCommand(program);
  return program;
}
