import assert from "node:assert/strict";
import { test } from "node:test";
import { formatComparisonsCsv } from "../../../../bench/report/comparison/csv.ts";
import { formatComparisonsMarkdown } from "../../../../bench/report/comparison/markdown.ts";
import { pageOfComparisons } from "../../../../bench/report/comparison/page.ts";
import { formatComparison } from "../../../../bench/report/comparison/text.ts";
import { renderPage } from "../../../../bench/report/frame/frame.ts";
import type { Comparison } from "../../../../bench/result/comparison.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { comparisonOf, samplesOf } from "../../../support/comparison.ts";

/** B has half the rate of A, the same p99 and an arbitrary p99.9; CPU times are unknown. */
function example(target = "node server.js {port}"): Comparison {
  const samples = samplesOf(6, ({ arm, round, process }) => ({
    serverCpuPerMessage: null,
    messagesPerSecond: 100_000 / (arm + 1) + round,
    p50: 100 * (arm + 1) + process / 10,
    p99: 200 + process / 10,
    p999: round % 2 === arm ? 300 : 400,
  }));
  return comparisonOf(samples, {
    arms: [
      { name: "A", target },
      { name: "B", target },
    ],
  });
}

test("the text names both arms, and states the finding for each known figure", () => {
  const text = formatComparison(example());
  assert.match(text, /^baseline {2}A: node server\.js/);
  assert.match(text, /6 ABBA rounds, a fresh process each time: 64 connections x 16 in flight/);
  assert.match(
    text,
    /^messages per second \(primary\) +100,004 \(100,001 to 100,006\) .* 0\.500 \(0\.500 to 0\.500\) +B lower by 50 %$/m,
  );
  assert.match(text, /^latency p50 .* B higher by 100 %$/m);
  assert.match(text, /^latency p99 .* equivalent within 2 %$/m);
  assert.match(text, /^latency p99\.9 .* undecided$/m);
  assert.match(text, /^Control: second over first process of the same arm 1\.000/m);
  assert.match(text, /^Four in five such comparisons would find a difference of .* in messages per second/m);
  assert.doesNotMatch(text, /server CPU|undefined|NaN|null/);
});

test("the text does not claim fresh processes for targets that are URLs", () => {
  assert.doesNotMatch(formatComparison(example("ws://127.0.0.1:1/echo")), /fresh process/);
});

test("Markdown has the same figures in a table, and says when a comparison is not acceptable", () => {
  const comparison = example();
  const text = formatComparisonsMarkdown([comparison]);
  assert.match(
    text,
    /^\| \*\*messages per second\*\* \| .* \| 0\.500 \(0\.500 to 0\.500\) \| B lower by 50 % \|$/m,
  );
  assert.doesNotMatch(text, /Not acceptable/);
  const [first, ...rest] = comparison.samples;
  assert.ok(first !== undefined);
  const failed = { ...comparison, samples: [{ ...first, failures: ["3 messages were lost"] }, ...rest] };
  assert.match(formatComparisonsMarkdown([failed]), /\*\*Not acceptable\*\*/);
});

test("CSV has a row for every figure, with the same columns whatever is known", () => {
  const lines = formatComparisonsCsv([example()]).trimEnd().split("\r\n");
  assert.equal(lines.length, 6);
  const cells = lines.map((line) => line.split(","));
  assert.equal(new Set(cells.map((row) => row.length)).size, 1);
  const [header = [], ...rows] = cells;
  const row = rows.find((entry) => entry[header.indexOf("figure")] === "messagesPerSecond") ?? [];
  const cell = (name: string) => row[header.indexOf(name)] ?? "";
  assert.deepEqual(["arm", "finding", "isPrimary", "acceptable"].map(cell), ["B", "lower", "true", "true"]);
  assert.ok(Math.abs(Number(cell("ratio")) - 0.5) < 0.001);
});

test("HTML has a forest plot and the pairs, the command, and escapes its texts", () => {
  const compared = example("node 'a</code><script>alert(1)</script>' {port}");
  const page = pageOfComparisons([{ ...compared, command: ["compare", "a.js {port}", "--rounds", "6"] }]);
  const html = renderPage(page);
  assert.equal(html.match(/<svg class="chart"/g)?.length, 2);
  assert.doesNotMatch(html, /<script>alert/);
  assert.match(html, /Ratios of B with 95 % intervals/);
  // Two processes of two arms in each of six rounds.
  assert.equal(html.match(/<circle class="[ab]" [^>]*r="3\.5"/g)?.length, 24);
  const [subject] = page.subjects;
  assert.match(subject?.command.join("\n") ?? "", /^uws-echo-bench compare 'a\.js \{port\}' --rounds 6/);
  assert.match(subject?.badge?.meaning ?? "", /: B lower by 50 %$/);
});

test("a Comparison fits a terminal of 80 columns, with the cells of a figure below each other", () => {
  const text = formatComparison(example(), { width: 80, paint: plainLook.paint });
  for (const line of text.split("\n").filter((each) => !/^(baseline|compared) /.test(each))) {
    assert.ok(line.length <= 80, line);
  }
  assert.match(text, /^ {2}finding +\S/m);
});
