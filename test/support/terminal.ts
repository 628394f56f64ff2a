// Runs a program on a pseudo-terminal, by script(1).
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

/**
 * Runs a shell command on a pseudo-terminal; the standard input is its keyboard. The shell executes the program with
 * `exec`: otherwise Ctrl-C would also end the shell, and its exit code would be reported instead. Some shells do that
 * by themselves, but not all, and script(1) uses the one in SHELL.
 */
export function spawnOnTerminal(
  command: string,
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessWithoutNullStreams {
  return spawn("script", ["--quiet", "--flush", "--return", "--command", `exec ${command}`, "/dev/null"], {
    env,
  });
}
