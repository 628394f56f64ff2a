// The program uws-echo-bench: its name, its commands and the help they share.
import { Command, Option } from "commander";
import { packageVersion } from "../../src/lib/package.ts";
import { colorChoices, colorHelp, paintFor, wantsColor, widthFor } from "../../src/lib/terminal.ts";
import { addCheckCommand } from "./check.ts";
import { addCompareCommand } from "./compare.ts";
import { addCompletionCommand } from "./completion.ts";
import { addDrainCommand } from "./drain.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { addGateCommand } from "./gate.ts";
import { addHttpCommand } from "./http.ts";
import { addIdleCommand } from "./idle.ts";
import { addMergeCommand } from "./merge.ts";
import { addReportCommand } from "./report.ts";
import { addRunCommand } from "./run.ts";
import { addSearchCommand } from "./search.ts";
import { addSlowCommand } from "./slow.ts";
import { addSoakCommand } from "./soak.ts";
import { addStormCommand } from "./storm.ts";
import { addSweepCommand } from "./sweep.ts";

const exitCodesHelp = `
Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`;

/** The whole command line; parsing it runs a command. */
export function createProgram(): Command {
  const program = new Command("uws-echo-bench")
    .description(
      "Measures WebSocket echo servers: rate, latency from the intended send time, and which side was the bottleneck",
    )
    .version(packageVersion())
    .addOption(new Option("--color <when>", `${colorHelp} (default: auto)`).choices(colorChoices))
    .showHelpAfterError("(run uws-echo-bench --help, or a command with --help, for usage)")
    .addHelpText("after", exitCodesHelp)
    .configureOutput({
      getOutHelpWidth: () => widthFor(process.stdout),
      getErrHelpWidth: () => widthFor(process.stderr),
      getOutHasColors: () => wantsColor(process.stdout),
      getErrHasColors: () => wantsColor(process.stderr),
    })
    .configureHelp(helpStyle())
    .exitOverride();
  addRunCommand(program);
  addHttpCommand(program);
  addStormCommand(program);
  addCheckCommand(program);
  addCompareCommand(program);
  addSearchCommand(program);
  addSweepCommand(program);
  addIdleCommand(program);
  addDrainCommand(program);
  addSlowCommand(program);
  addSoakCommand(program);
  addReportCommand(program);
  addMergeCommand(program);
  addGateCommand(program);
  addCompletionCommand(program);
  return program;
}

function helpStyle() {
  const paint = paintFor(process.stdout);
  return {
    showGlobalOptions: true,
    minWidthToWrap: 30,
    styleTitle: paint.bold,
    styleOptionTerm: paint.cyan,
    styleSubcommandTerm: paint.cyan,
    styleArgumentTerm: paint.cyan,
    // commander quotes defaults and lists choices, which are in the flags or in the words of the help.
    optionDescription: ({ description, defaultValue }: Option) =>
      defaultValue === undefined || Array.isArray(defaultValue)
        ? description
        : `${description} (default: ${String(defaultValue)})`,
  };
}
