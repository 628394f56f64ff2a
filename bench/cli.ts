#!/usr/bin/env node
// Runs the program uws-echo-bench and sets its exit code.
import { CommanderError } from "commander";
import { takeColorFlag } from "../src/lib/terminal.ts";
import { exitCodes } from "./commands/exit-codes.ts";
import { createProgram } from "./commands/program.ts";

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync(takeColorFlag(process.argv.slice(2), process.env), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      process.stderr.write(`error: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = exitCodes.nothing;
      return;
    }
    // Commander has said what was wrong; its own code for wrong usage is 1.
    process.exitCode = error.exitCode === 1 ? exitCodes.usage : error.exitCode;
  }
}

await main();
