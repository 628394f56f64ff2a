import assert from "node:assert/strict";
import { test } from "node:test";
import { wrapText } from "../../../src/lib/columns.ts";
import { takeColorFlag, wantsColor, widthFor } from "../../../src/lib/terminal.ts";

test("FORCE_COLOR decides first, then NO_COLOR, then the terminal", () => {
  const terminal = { isTTY: true };
  assert.equal(wantsColor(terminal, {}), true);
  assert.equal(wantsColor({}, {}), false);
  assert.equal(wantsColor(terminal, { TERM: "dumb" }), false);
  assert.equal(wantsColor(terminal, { NO_COLOR: "1" }), false);
  assert.equal(wantsColor(terminal, { NO_COLOR: "" }), true, "an empty variable counts as unset");
  assert.equal(wantsColor({}, { FORCE_COLOR: "1", NO_COLOR: "1" }), true);
  assert.equal(wantsColor(terminal, { FORCE_COLOR: "0" }), false);
});

test("--color is taken off the arguments and put into the environment", () => {
  const environment: Record<string, string | undefined> = { FORCE_COLOR: "1" };
  assert.deepEqual(takeColorFlag(["run", "--color", "never", "x"], environment), ["run", "x"]);
  assert.deepEqual(environment, { NO_COLOR: "1" });
  assert.deepEqual(takeColorFlag(["--color=always"], environment), []);
  assert.deepEqual(environment, { FORCE_COLOR: "1" });
  assert.deepEqual(takeColorFlag(["--color=blue", "--", "--color=never"], environment), [
    "--color=blue",
    "--",
    "--color=never",
  ]);
  assert.deepEqual(environment, { FORCE_COLOR: "1" });
});

test("text is laid out for the terminal's columns, up to a limit, and for 80 elsewhere", () => {
  assert.equal(widthFor({ isTTY: true, columns: 100 }), 100);
  assert.equal(widthFor({ isTTY: true, columns: 300 }), 120);
  assert.equal(widthFor({ isTTY: true, columns: 10 }), 40);
  assert.equal(widthFor({ columns: 300 }), 80);
});

test("text is broken at blanks, and long words stay whole", () => {
  assert.deepEqual(wrapText("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapText("unbreakable a b", 4), ["unbreakable", "a b"]);
  assert.deepEqual(wrapText("", 10), [""]);
  assert.deepEqual(wrapText("as it is", Number.POSITIVE_INFINITY), ["as it is"]);
});
