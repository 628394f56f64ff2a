import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const text = readFileSync(new URL("../../docs/promises.md", import.meta.url), "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .slice(2)
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("each promise names a test, or why there is none, for each of the three cases", () => {
  assert.ok(rows.length > 20);
  for (const [promise, ...cases] of rows) {
    assert.equal(cases.length, 3, promise);
    for (const cell of cases) {
      assert.match(cell, /`|_docs only_|_same_/, promise);
    }
  }
});

test("every test that a promise names exists", () => {
  for (const [promise, ...cases] of rows) {
    for (const [, name = ""] of cases.join(" ").matchAll(/`((?:unit|integration|conformance)\/[^`]+)`/g)) {
      assert.ok(existsSync(new URL(`../${name}.test.ts`, import.meta.url)), `${promise}: ${name}`);
    }
  }
});
