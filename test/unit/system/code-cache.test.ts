import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { codeCachePath, compileBundle, runBundle } from "../../../src/system/code-cache.ts";

const main = fileURLToPath(new URL("../../../dist/src/bundle/main.cjs", import.meta.url));

function bundle(t: { after(action: () => void): void }, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "uws-echo-cache-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "bundle.cjs");
  writeFileSync(path, text);
  return path;
}

test("V8 takes the code cache that the build has left for the command", () => {
  assert.ok(existsSync(codeCachePath(main)));
  assert.equal(compileBundle(main).cachedDataRejected, false);
});

test("a bundle runs without a cache and with one", (t) => {
  const path = bundle(
    t,
    'exports.where = __filename; exports.isFile = require("node:fs").existsSync(__filename);',
  );
  const expected = { where: path, isFile: true };
  const plain = compileBundle(path);
  assert.deepEqual(runBundle(plain, path), expected);

  writeFileSync(codeCachePath(path), plain.createCachedData());
  const cached = compileBundle(path);
  assert.equal(cached.cachedDataRejected, false);
  assert.deepEqual(runBundle(cached, path), expected);
});

test("a bundle runs when V8 refuses its cache", (t) => {
  const path = bundle(t, "exports.sum = 1 + 2;");
  copyFileSync(codeCachePath(main), codeCachePath(path));
  const script = compileBundle(path);
  assert.equal(script.cachedDataRejected, true);
  assert.deepEqual(runBundle(script, path), { sum: 3 });
});
