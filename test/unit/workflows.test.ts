// Checks the workflows of GitHub Actions with GitHub's own parser and against the package.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { z } from "zod";
import { filesBelow, read, readYaml } from "../support/deploy.ts";

const manifest = z
  .object({ engines: z.object({ node: z.string() }) })
  .parse(JSON.parse(read("package.json")));

/** The problems that GitHub's own parser finds in a workflow. */
function problemsOf(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(String);
}

test("the workflows are valid: keys, types and expressions", () => {
  const paths = filesBelow(".github/workflows");
  assert.ok(paths.length >= 3);
  for (const path of paths) {
    assert.deepEqual(problemsOf(path, read(path)), []);
  }
  const broken = "on: push\njobs: { a: { runs-on: x, stepz: [], steps: [{ run: x, if: githubx.ref }] } }\n";
  assert.notDeepEqual(problemsOf("broken.yml", broken), []);
});

test("CI runs on Node versions that the package supports, and .nvmrc names one of them", () => {
  const { jobs } = z
    .object({
      jobs: z.object({
        test: z.object({ strategy: z.object({ matrix: z.object({ node: z.array(z.number()) }) }) }),
      }),
    })
    .parse(readYaml(".github/workflows/ci.yml"));
  const { node: tested } = jobs.test.strategy.matrix;
  for (const version of tested) {
    assert.match(manifest.engines.node, new RegExp(`\\^${version}\\.`));
  }
  assert.ok(tested.includes(Number(read(".nvmrc"))));
});

test("every action is named by a commit, with its version beside it for dependabot", () => {
  const uses = filesBelow(".github/workflows").flatMap((path) => [
    ...read(path).matchAll(/^ *-? *uses: (?!\.\/)(.*)$/gm),
  ]);
  assert.ok(uses.length > 10);
  for (const [, action = ""] of uses) {
    assert.match(action, /^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
});
