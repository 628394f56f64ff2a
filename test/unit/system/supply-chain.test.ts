// The binaries that are installed are those that decision 0001 names, and the bill of materials lists what is shipped.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../../", import.meta.url);
const decision = readFileSync(new URL("docs/decisions/0001-uwebsockets-from-a-re-host.md", root), "utf8");
const installed = new URL("node_modules/uWebSockets.js/", root);

test("every binary has the hash that is recorded", () => {
  const rows = [...decision.matchAll(/^\| `(\S+)` \| `([0-9a-f]{64})` \|$/gm)];
  assert.ok(rows.length >= 10);
  for (const [, file = "", recorded] of rows) {
    const hash = createHash("sha256")
      .update(readFileSync(new URL(file, installed)))
      .digest("hex");
    assert.equal(hash, recorded, file);
  }
  const used = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  if (process.platform === "linux" && existsSync(new URL(used, installed))) {
    assert.ok(
      rows.some(([, file]) => file === used),
      `${used} is used and not recorded`,
    );
  }
});

test("the upstream commit is the one that is recorded", () => {
  const commit = readFileSync(new URL("source_commit", installed), "utf8").trim();
  assert.ok(decision.includes(`\`${commit}\``), commit);
});

test("the bill of materials lists what is shipped, with hashes, and no development dependency", () => {
  const output = execFileSync("npm", ["run", "--silent", "build:sbom"], { cwd: root, encoding: "utf8" });
  const { components } = JSON.parse(output) as {
    components: { name: string; version: string; hashes?: unknown[] }[];
  };
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(new URL("package.json", root), "utf8"),
  ) as Record<"dependencies" | "devDependencies", Record<string, string>>;
  const names = new Set(components.map(({ name }) => name));
  for (const name of Object.keys(dependencies)) {
    assert.ok(names.has(name) || (name === "uWebSockets.js" && names.has("uwebsockets")), name);
  }
  for (const name of Object.keys(devDependencies)) {
    assert.ok(!names.has(name), name);
  }
  assert.ok(components.every(({ hashes }) => (hashes?.length ?? 0) > 0));
});
