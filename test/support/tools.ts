// Tests that need programs or root, which a machine may lack.
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";

/** What a test needs: one program, or several programs with or without root. */
export type Needs = string | { readonly programs: readonly string[]; readonly root?: true };

/** What a machine lacks, in words; undefined if it has everything. */
function missing(needs: Needs): string | undefined {
  const { programs, root } =
    typeof needs === "string" ? { programs: [needs] } : { root: undefined, ...needs };
  const program = programs.find(
    (each) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", each]).status !== 0,
  );
  if (program !== undefined) {
    return `${program} is not installed`;
  }
  return root && process.getuid?.() !== 0 ? "it needs root" : undefined;
}

/** A test that is skipped, with the reason, on a machine that lacks something; under CI that is a failure. */
export function toolTest(needs: Needs, name: string, body: (t: TestContext) => void | Promise<void>): void {
  test(name, async (t) => {
    const reason = missing(needs);
    if (reason !== undefined && process.env["CI"]) {
      throw new Error(`${reason}, and under CI that is a failure`);
    }
    await (reason === undefined ? body(t) : t.skip(reason));
  });
}
