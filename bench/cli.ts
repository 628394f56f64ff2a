#!/usr/bin/env node
// Owns the program uws-echo-bench: its name, its commands, and what a failure of our own looks like.

import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { addCompareCommand } from "./commands/compare.ts";
import { exitCodes } from "./commands/exit-codes.ts";
import { addHttpCommand } from "./commands/http.ts";
import { addMergeCommand } from "./commands/merge.ts";
import { addReportCommand } from "./commands/report.ts";
import { addRunCommand } from "./commands/run.ts";

const exitCodesHelp = `
Exit codes:
  0  good
  1  measured, but not acceptable: messages lost, errors, a threshold that does not hold, a run cut short
  2  wrong usage
  3  nothing was measured`;

function createProgram(): Command {
  const { name, version } = readPackage();
  const program = new Command("uws-echo-bench")
    .description(
      "measures WebSocket echo servers: rate, latency from the intended send time, and who was the bottleneck",
    )
    .version(`${name} ${version}`)
    .showHelpAfterError("(uws-echo-bench --help says what is allowed)")
    .addHelpText("after", exitCodesHelp)
    .exitOverride();
  addRunCommand(program);
  addHttpCommand(program);
  addCompareCommand(program);
  addReportCommand(program);
  addMergeCommand(program);
  return program;
}

/** The package.json is two levels up from dist/bench and one from bench. */
function readPackage(): { name: string; version: string } {
  const require = createRequire(import.meta.url);
  return require(import.meta.url.endsWith(".ts") ? "../package.json" : "../../package.json");
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    // Commander has said what was wrong; its own code for wrong usage is 1.
    process.exitCode = error.exitCode === 1 ? exitCodes.usage : error.exitCode;
  }
}

await main();
