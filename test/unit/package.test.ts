// What the npm package holds, as npm would pack it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { root } from "../support/deploy.ts";

const manifest = z
  .object({
    bin: z.record(z.string(), z.string()),
    exports: z.object({ ".": z.record(z.string(), z.string()) }),
  })
  .parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));

/** Every file that may be published is below one of these, or is one of them. */
const published = [
  /^dist\/src\/.*\.(js|d\.ts)$/,
  /^dist\/bench\/(?!peers\/).*\.(js|html)$/,
  /^dist\/web\/page\.html(\.gz|\.br)?$/,
  /^docs\/.*\.(md|png)$/,
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
];

test("the package holds the two programs, the page and the docs, and nothing else", () => {
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  const [contents] = z
    .array(z.object({ files: z.array(z.object({ path: z.string() })) }))
    .parse(JSON.parse(packed));
  const paths = contents?.files.map(({ path }) => path) ?? [];
  assert.deepEqual(
    paths.filter((path) => !published.some((pattern) => pattern.test(path))),
    [],
  );
  const entries = [...Object.values(manifest.bin), ...Object.values(manifest.exports["."])];
  for (const path of [...entries, "./dist/web/page.html", "dist/bench/report/page.html"]) {
    assert.ok(paths.includes(path.replace(/^\.\//, "")), `${path} is missing`);
    assert.ok(existsSync(`${root}${path}`), path);
  }
});
