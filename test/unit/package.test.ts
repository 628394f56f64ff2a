// Checks the files of the npm package, as npm packs it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { root } from "../support/deploy.ts";

const manifest = z
  .object({
    bin: z.record(z.string(), z.string()),
    man: z.array(z.string()),
    exports: z.object({ ".": z.record(z.string(), z.string()) }),
  })
  .parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));

/** Every file that may be published is below one of these, or is one of them. */
const published = [
  /^dist\/src\/.*\.(js|d\.ts)$/,
  /^dist\/src\/bundle\/(LICENSES\.txt|main\.cjs)$/,
  /^dist\/bench\/(?!peers\/).*\.(js|html)$/,
  /^dist\/web\/page\.html(\.gz|\.br)?$/,
  /^docs\/.*\.(md|png)$/,
  /^docs\/man\/uws-echo(-bench)?\.1$/,
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|NOTICE)$/,
];

test("the documented prune leaves the one binary that this Node loads", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-prune-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, "node_modules/uWebSockets.js");
  mkdirSync(copy, { recursive: true });
  const installed = `${root}node_modules/uWebSockets.js/`;
  for (const name of readdirSync(installed).filter((each) => /\.(node|js|mjs|json)$/.test(each))) {
    symlinkSync(`${installed}${name}`, join(copy, name));
  }
  const text = readFileSync(`${root}docs/installing.md`, "utf8");
  const command = /```sh prune\n(.*?)```/s.exec(text)?.[1] ?? "";
  execFileSync("sh", ["-e", "-c", command], { cwd: folder });
  const left = readdirSync(copy).filter((name) => name.endsWith(".node"));
  assert.deepEqual(left, [`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`]);
  const load = ["--preserve-symlinks", "-e", 'console.log(typeof require("uWebSockets.js").App)'];
  assert.equal(execFileSync(process.execPath, load, { cwd: folder, encoding: "utf8" }), "function\n");
});

test("package.json says where the project lives, and publishes with provenance", () => {
  const address = "https://github.com/uws-echo/uws-echo";
  const { repository, homepage, bugs, publishConfig } = z
    .object({
      repository: z.object({ url: z.string() }),
      homepage: z.string(),
      bugs: z.string(),
      publishConfig: z.object({ provenance: z.literal(true), access: z.literal("public") }),
    })
    .parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));
  assert.deepEqual(
    [repository.url, homepage, bugs],
    [`git+${address}.git`, `${address}#readme`, `${address}/issues`],
  );
  assert.ok(publishConfig.provenance);
});

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
  for (const path of [...entries, ...manifest.man, "./dist/web/page.html", "dist/bench/report/page.html"]) {
    assert.ok(paths.includes(path.replace(/^\.\//, "")), `${path} is missing`);
    assert.ok(existsSync(`${root}${path}`), path);
  }
});
