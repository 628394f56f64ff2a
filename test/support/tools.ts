// Programs that some tests need and that a machine may lack.
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";

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

/** A test that needs a program: skipped with the reason where it is missing, a failure under CI. */
export function toolTest(
  program: string,
  name: string,
  body: (t: TestContext) => void | Promise<void>,
): void {
  test(name, async (t) => {
    if (requireTool(t, program)) {
      await body(t);
    }
  });
}
