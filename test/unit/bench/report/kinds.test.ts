import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { formats } from "../../../../bench/report/kind.ts";
import { kinds, reportSources } from "../../../../bench/report/kinds.ts";
import { resultKind } from "../../../../bench/result/schema.ts";
import { formatResult } from "../../../../bench/result/store.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { allFigures, comparisonOf, samplesOf } from "../../../support/comparison.ts";
import { exampleResult } from "../../../support/result.ts";

const form = { format: "text", service: false, look: plainLook } as const;
const result = { name: "one.json", text: formatResult(exampleResult()) };
const comparison = {
  name: "two.json",
  text: JSON.stringify(comparisonOf(samplesOf(3, () => allFigures(1)))),
};

test("every document in bench/results, of whatever version, has a report in every format", () => {
  const files = readdirSync("bench/results", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => `bench/results/${name}`);
  assert.ok(files.length > 40, `${files.length} files`);
  for (const name of files) {
    const source = { name, text: readFileSync(name, "utf8") };
    // Only a Result has one distribution.
    const isResult = (JSON.parse(source.text) as { kind?: unknown }).kind === resultKind;
    for (const format of formats.filter((each) => !/^h(grm|log)$/.test(each) || isResult)) {
      assert.ok(reportSources([source], { ...form, format }).length > 100, `${name} as ${format}`);
    }
  }
});

test("refuses documents of two kinds in one report", () => {
  assert.throws(
    () => reportSources([result, comparison], form),
    /Results and Comparisons do not go into one/,
  );
  assert.throws(
    () => reportSources([comparison], { ...form, format: "hgrm" }),
    /one distribution, and Comparisons have none/,
  );
});

test("a document of an unknown kind is named with the kinds that are read", () => {
  const names = kinds.flatMap((kind) => kind.names);
  assert.equal(new Set(names).size, names.length, "every kind is listed once");
  const foreign = { name: "x.json", text: '{"kind": "other/thing"}' };
  assert.throws(() => reportSources([result, foreign], form), {
    message: `x.json is of kind "other/thing": report reads ${names.join(", ")}`,
  });
  assert.throws(
    () => reportSources([{ name: "y.json", text: '{"requests": 5}' }], form),
    /y\.json names no kind, so another tool wrote it: report reads /,
  );
});
