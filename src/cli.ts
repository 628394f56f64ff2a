#!/usr/bin/env node
// The command uws-echo, and the only file that ends the process. It installs signal handlers and checks the descriptor
// limit before it loads the rest: process 1 of a container does not receive signals without a handler.
import { exitCodes } from "./config/exit-codes.ts";
import { takeSignals } from "./process/signals.ts";
import { descriptorLimit, leastDescriptors } from "./system/resources.ts";

const signals = takeSignals(() => process.exit(exitCodes.good));
if (descriptorLimit() < leastDescriptors) {
  process.stderr.write(
    `uws-echo: the limit on open files is ${descriptorLimit()}, and at least ${leastDescriptors} are needed. ` +
      "Raise it with ulimit -n, LimitNOFILE= or the container's nofile.\n",
  );
  process.exit(exitCodes.failed);
}
const { run } = await import("./main.ts");
process.exit(await run(signals));
