// Runs the real command uws-echo-bench, for tests that need load or a Result.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CheckReport, checkSchema } from "../../bench/result/check.ts";
import { type Result, resultSchema } from "../../bench/result/schema.ts";
import { inTime } from "./wait.ts";

export const harnessPath = fileURLToPath(new URL("../../dist/bench/cli.js", import.meta.url));

const deadlineMs = 90_000;

/** Starts a command of uws-echo-bench, which has to end within 90 s. */
export function startHarness(args: readonly string[]) {
  const child = spawn(process.execPath, [harnessPath, ...args]);
  const ended = inTime(
    Promise.all([text(child.stdout), text(child.stderr), once(child, "exit") as Promise<[number | null]>]),
    `${args[0]} ends`,
    deadlineMs,
  ).then(([stdout, stderr, [exitCode]]) => ({ stdout, stderr, exitCode }));
  return { child, ended };
}

/** Runs `uws-echo-bench run URL --json` and returns its Result; fails unless it exits with 0 within a minute. */
export async function measureWithHarness(url: string, args: readonly string[]): Promise<Result> {
  const command = [harnessPath, "run", url, "--json", ...args];
  const options = { maxBuffer: 2 ** 26, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(process.execPath, command, options);
  return resultSchema.parse(JSON.parse(stdout));
}

/** Runs `uws-echo-bench check URL --json` and returns its report, whatever the exit code. */
export function checkWithHarness(url: string, args: readonly string[]): Promise<CheckReport> {
  const command = [harnessPath, "check", url, "--json", ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { timeout: 60_000 }, (error, stdout, stderr) => {
      if (stdout === "") {
        reject(new Error(`check ended with ${error?.code}: ${stderr}`));
      } else {
        resolve(checkSchema.parse(JSON.parse(stdout)));
      }
    });
  });
}
