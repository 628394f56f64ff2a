// Programs that some tests need and that a machine may lack.
import { spawnSync } from "node:child_process";

interface Skippable {
  skip(reason: string): void;
}

/** Skips the test where a program is missing; under CI, where it must be there, fails instead. */
export function requireTool(t: Skippable, program: string): boolean {
  if (spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0) {
    return true;
  }
  if (process.env["CI"]) {
    throw new Error(`${program} is not installed, and under CI that is a failure`);
  }
  t.skip(`${program} is not installed`);
  return false;
}
