// A program on a pseudo-terminal of its own, by script(1).
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

/**
 * Runs a shell command on a pseudo-terminal; the standard input is its keyboard. The shell gives way to the program
 * (`exec`): otherwise Ctrl-C would end it too, and its exit code would be reported instead of the program's. Whether
 * a shell does so by itself depends on the shell, and script(1) takes the one in SHELL.
 */
export function spawnOnTerminal(
  command: string,
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessWithoutNullStreams {
  return spawn("script", ["--quiet", "--flush", "--return", "--command", `exec ${command}`, "/dev/null"], {
    env,
  });
}
