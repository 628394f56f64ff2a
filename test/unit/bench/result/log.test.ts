import assert from "node:assert/strict";
import { test } from "node:test";
import { findResults } from "../../../../bench/result/log.ts";
import type { Result } from "../../../../bench/result/schema.ts";
import { formatResult, formatResultLine } from "../../../../bench/result/store.ts";
import { exampleResult } from "../../../support/result.ts";

const labelled = (label: string): Result =>
  exampleResult((result) => {
    result.label = label;
  });

const find = (text: string) => findResults([{ name: "a log", text }]);
const labelsOf = (text: string): (string | null)[] => find(text).results.map(({ label }) => label);

test("a Result on a line is one line, and read back the same", () => {
  const result = labelled("one\ntwo");
  const line = formatResultLine(result);
  assert.equal(line.trimEnd().split("\n").length, 1);
  assert.deepEqual(find(line), { results: [result], problems: [] });
});

test("Results are found among other lines of a log, also behind a prefix", () => {
  const log = [
    "warning: something else",
    `[pod/uws-echo-load-0-x7k2p/generator] ${formatResultLine(labelled("first"))}`,
    '{"level":30,"msg":"a JSON line of another program"}',
    `2026-11-22T18:00:00Z stdout F ${formatResultLine(labelled("second")).trimEnd()}\r`,
    "",
  ].join("\n");
  assert.deepEqual(labelsOf(log), ["first", "second"]);
  assert.deepEqual(find(log).problems, []);
});

test("a file of one Result over many lines is read as a whole", () => {
  assert.deepEqual(labelsOf(formatResult(labelled("whole"))), ["whole"]);
});

test("a line that is cut off, foreign or damaged is named, and the good ones are kept", () => {
  const good = formatResultLine(labelled("good"));
  const cut = formatResultLine(labelled("cut")).slice(0, 1000);
  const { results, problems } = find(
    [
      `x ${cut}`,
      good.trimEnd(),
      '{"kind":"uws-echo-bench/comparison","version":1}',
      good.trimEnd().replace('"version":2,', '"version":99,'),
      good.trimEnd().replace('"loop":"closed"', '"loop":"open-ended"'),
      `${good.trimEnd()} and more`,
    ].join("\n"),
  );
  assert.deepEqual(
    results.map(({ label }) => label),
    ["good"],
  );
  const expected = [
    /^line 1 of a log is truncated: .* after 1000 characters$/,
    /^line 3 of a log is not a file of kind "uws-echo-bench\/result" but of "uws-echo-bench\/comparison"$/,
    /^line 4 of a log is version 99 .* a newer/,
    /^line 5 of a log has wrong fields:[\s\S]*loop/,
    /^line 6 of a log is truncated|^line 6 of a log is not valid JSON/,
  ];
  assert.equal(problems.length, expected.length);
  for (const [index, pattern] of expected.entries()) {
    assert.match(problems[index] ?? "", pattern);
  }
});

test("a duplicate Result is reported, across texts too", () => {
  const result = labelled("same");
  const line = formatResultLine(result);
  const { results, problems } = findResults([
    { name: "one.log", text: line },
    { name: "two.json", text: formatResult(result) },
  ]);
  assert.equal(results.length, 1);
  assert.deepEqual(problems, ["two.json is the same Result as line 1 of one.log: it would count twice"]);
});

test("a log without any Result says so, and an empty one too", () => {
  assert.match(
    find("one line\nand another\n").problems[0] ?? "",
    /^a log holds no Result: no line is a Result/,
  );
  assert.match(find("").problems[0] ?? "", /^a log is empty$/);
});

test("Results over several lines are found among those of one line", () => {
  const text = [
    "some log",
    formatResultLine(labelled("line")).trimEnd(),
    formatResult(labelled("file")).trimEnd(),
    formatResultLine(labelled("last")).trimEnd(),
  ].join("\n");
  const { results, problems } = find(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(results.map(({ label }) => label).sort(), ["file", "last", "line"]);
});
