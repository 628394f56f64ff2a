#!/usr/bin/env node
// Runs the program uws-echo-bench and sets its exit code.
import { CommanderError } from "commander";
import { takeColorFlag } from "../src/lib/terminal.ts";
import { exitCodes } from "./commands/exit-codes.ts";

async function main(): Promise<void> {
  try {
    // Loaded here, so that a failure to load (as with very few descriptors) is reported as a crash.
    const { createProgram } = await import("./commands/program.ts");
    await createProgram().parseAsync(takeColorFlag(process.argv.slice(2), process.env), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      crash(error);
      return;
    }
    // Commander has printed the problem; its own code for wrong usage is 1.
    process.exitCode = error.exitCode === 1 ? exitCodes.usage : error.exitCode;
  }
}

/** Reports a fault of this program, not of the target or the caller. */
function crash(error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`error: uws-echo-bench failed: ${what}\n`);
  process.exitCode = exitCodes.crashed;
}

// The output is no longer read (`| head`, a closed terminal): the measurement still goes to its file.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => undefined);
}

/** Node's exit code if nothing is left that could settle the top-level await. */
const unsettledExitCode = 13;

let isSettled = false;
process.on("uncaughtException", (error) => {
  isSettled = true;
  crash(error);
  process.exit();
});
process.on("exit", (code) => {
  if (!isSettled && code === unsettledExitCode) {
    crash(new Error("it ended with something left to wait for"));
  }
});

await main();
isSettled = true;
