import assert from "node:assert/strict";
import { test } from "node:test";
import { alignColumns } from "../../../src/lib/columns.ts";

test("cells are padded to the widest of their column, and lines do not end in blanks", () => {
  assert.deepEqual(
    alignColumns([
      ["", "A", "B"],
      ["messages per second", "1", ""],
      ["p50", "12", "13"],
    ]),
    ["                     A   B", "messages per second  1", "p50                  12  13"],
  );
  assert.deepEqual(alignColumns([]), []);
});

test("figures stand to the right of their column, names to the left", () => {
  const rows = [
    ["", "rate"],
    ["warm-up", "9"],
  ];
  assert.deepEqual(alignColumns(rows, "figures"), ["         rate", "warm-up     9"]);
  assert.deepEqual(alignColumns([["p50", "9"], ...rows], "right")[0], "    p50     9");
});
