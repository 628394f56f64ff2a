// The command uws-echo: reads the options, starts the server, and returns the exit code.
import { startBanner } from "./banner.ts";
import { readCommandLine } from "./config/command-line.ts";
import { exitCodes } from "./config/exit-codes.ts";
import { buildCommand } from "./config/help.ts";
import type { Config } from "./config/options.ts";

import { explainUnknownVariables, printConfig, printConfigJson } from "./config/resolve.ts";
import { isTlsRelayed } from "./config/tls.ts";

import { unfinishedWarning } from "./config/unfinished.ts";
import { completionScript } from "./lib/completion.ts";
import { UwsEchoError } from "./lib/errors.ts";
import { packageVersion } from "./lib/package.ts";
import { paintFor, takeColorFlag } from "./lib/terminal.ts";
import type { Running } from "./process/running.ts";
import type { Signals } from "./process/signals.ts";
import { ListenError } from "./server/listener.ts";
import { tlsWarnings } from "./server/tls-warnings.ts";
import { createLog, flushLog, type Log } from "./system/log.ts";
import { hasMemoryLimit, memoryLimit } from "./system/resources.ts";

/**
 * Runs the command.
 * @returns the exit code
 */
export async function run(signals: Signals): Promise<number> {
  const exitCode = await main(signals).catch(explain);
  await flushLog();
  return exitCode;
}

async function main(signals: Signals): Promise<number> {
  const line = readCommandLine(takeColorFlag(process.argv.slice(2), process.env), process.env);
  switch (line.action) {
    case "help":
      return print(helpOn(line.topic));
    case "version":
      return print(`${packageVersion()}\n`);
    case "completion":
      return print(completionScript(line.shell, buildCommand(), true));
    case "print-config": {
      for (const sentence of explainUnknownVariables(process.env)) {
        process.stderr.write(`uws-echo: ${sentence}\n`);
      }
      return print(
        `${line.format === "json" ? printConfigJson(line.resolved) : printConfig(line.resolved)}\n`,
      );
    }
    case "health":
      return (await import("./health.ts")).checkHealth(line.resolved.config);
    case "serve":
      return serveUntilStopped(line.resolved.config, signals);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return exitCodes.good;
}

function helpOn(topic: string | undefined): string {
  const command = buildCommand();
  return (command.commands.find((each) => each.name() === topic) ?? command).helpInformation();
}

async function serveUntilStopped(config: Config, signals: Signals): Promise<number> {
  const log = await createLog(config.logLevel);
  for (const sentence of explainUnknownVariables(process.env)) {
    log.warn(sentence);
  }
  for (const warning of tlsWarnings(config)) {
    log.warn(warning);
  }
  const warning = hasMemoryLimit() ? unfinishedWarning(config, memoryLimit()) : undefined;
  if (warning !== undefined) {
    log.warn(warning);
  }
  const running = needsSupervisor(config)
    ? await (await import("./process/supervisor.ts")).runSupervisor(config, log)
    : await (await import("./process/single.ts")).runSingle(config, log);
  const stopped = stopOnSignal(running, config, signals, log);
  announce(config, running, log);
  try {
    await Promise.race([stopped, running.failure]);
    log.info("stopped");
    return exitCodes.good;
  } catch (error) {
    log.fatal({ err: error }, "the server failed");
    return exitCodes.failed;
  }
}

/** Prints a banner on a terminal, else logs a line for each URL. */
function announce(config: Config, { urls }: Running, log: Log): void {
  if (process.stdout.isTTY) {
    if (log.isLevelEnabled("info")) {
      process.stdout.write(startBanner(config, urls, paintFor(process.stdout)));
    }
    return;
  }
  for (const url of Object.values(urls)) {
    if (url !== undefined) {
      log.info(`serving ${url}`);
    }
  }
}

/** Resolves when the drain after a first signal is complete; a second signal stops at once. */
function stopOnSignal(running: Running, config: Config, signals: Signals, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    const ignore = (signal: NodeJS.Signals): void => log.info({ signal }, "signal ignored");
    signals.direct({
      stop(signal) {
        log.info({ signal }, "stopping");
        running.stop().then(resolve, reject);
      },
      force(signal) {
        log.warn({ signal }, "second signal: stopping at once");
        running.force();
      },
      reload: config.tlsCert === undefined ? ignore : () => running.reload(),
      ignore,
    });
  });
}

// Before Node 23.1, a Node server can share its port only through an inherited socket.
function needsSupervisor(config: Config): boolean {
  return config.workers > 1 || (config.reusePort && isTlsRelayed(config));
}

function explain(error: unknown): number {
  if (!(error instanceof UwsEchoError)) {
    process.stderr.write(`uws-echo: ${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.failed;
  }
  const advice = error.code === "ERR_CONFIG" ? "uws-echo --help lists the options." : adviceFor(error);
  const lines = [
    ...error.problems.map((problem) => `uws-echo: ${problem}`),
    ...(advice === "" ? [] : [advice]),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  return error.code === "ERR_CONFIG" ? exitCodes.usage : exitCodes.failed;
}

/** Names the flag that helps after a failure to listen. */
function adviceFor(error: UwsEchoError): string {
  const prefix = error instanceof ListenError && error.listener === "admin" ? "--admin-" : "--";
  switch (error.code) {
    case "ERR_ADDRESS_IN_USE":
      return `Choose another ${prefix}port, or give --reuse-port to both servers to share it.`;
    case "ERR_PORT_PRIVILEGED":
      return `Choose a ${prefix}port from 1024 on.`;
    case "ERR_ADDRESS_NOT_AVAILABLE":
    case "ERR_HOST_UNKNOWN":
      return `Choose another ${prefix}host.`;
    default:
      return "";
  }
}
