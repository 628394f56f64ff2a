import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCsv } from "../../../../../bench/report/run/csv.ts";
import { formatHgrm } from "../../../../../bench/report/run/hgrm.ts";
import { formatMarkdown } from "../../../../../bench/report/run/markdown.ts";
import { barChartSvg, latencySvg } from "../../../../../bench/report/svg.ts";
import { encodeHistogram } from "../../../../../bench/result/histogram.ts";
import { judge } from "../../../../../bench/result/verdict.ts";
import { exampleResult, histogramOf } from "../../../../support/result.ts";

/** RFC 4180, read one character at a time. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? "";
    if (quoted) {
      if (char !== '"') {
        cell += char;
      } else if (text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else {
        quoted = false;
      }
    } else if (char === '"') {
      quoted = true;
    } else if (char === "," || text.startsWith("\r\n", i)) {
      rows.at(-1)?.push(cell);
      cell = "";
      if (char === "\r") {
        rows.push([]);
        i += 1;
      }
    } else {
      cell += char;
    }
  }
  return rows.slice(0, -1);
}

test("the CSV has a row for each Result with every figure under its name, and empty cells for the unknown", () => {
  const named = exampleResult((result) => {
    result.label = 'mine, "tuned"\nagain';
  });
  const blind = exampleResult((result) => {
    result.summary.latencyUs = null;
    delete result.server;
  });
  const [header = [], ...rows] = parseCsv(formatCsv([named, blind]));
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.equal(row.length, header.length);
  }
  const cell = (row: number, column: string) => rows[row]?.[header.indexOf(column)];
  assert.ok(!header.includes("summary.latencyUs"), "a group that has parts is not a separate column");
  assert.equal(cell(0, "label"), 'mine, "tuned"\nagain');
  assert.equal(cell(0, "summary.messagesPerSecond"), "100000");
  assert.equal(cell(0, "summary.latencyUs.p99"), String(named.summary.latencyUs?.p99));
  assert.equal(cell(0, "server.cpuUsPerMessage"), "9.9");
  assert.equal(cell(1, "summary.latencyUs.p99"), "");
  assert.equal(cell(1, "server.cpuUsPerMessage"), "");
  assert.equal(cell(1, "verdict"), "server-bound");
});

test("the .hgrm is HdrHistogram's percentile table in milliseconds", () => {
  const latency = histogramOf([1000, 2000, 3000, 40_000]);
  const service = histogramOf([500]);
  const result = exampleResult((changed) => {
    changed.histograms = {
      latency: encodeHistogram(latency.histogram, 1),
      service: encodeHistogram(service.histogram, 1),
      unsent: null,
    };
  });
  const lines = formatHgrm(result).trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/);
  const table = lines
    .slice(1)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(/\s+/).map(Number));
  for (const [value = Number.NaN, percentile = Number.NaN, count = Number.NaN, inverse] of table) {
    assert.ok(value >= 1 && value <= 40.1, `${value} ms`);
    assert.equal(count, [1, 2, 3, 40].filter((latencyMs) => latencyMs * 0.999 <= value).length);
    if (inverse !== undefined) {
      assert.ok(Math.abs(inverse - 1 / (1 - percentile)) < 0.01);
    }
  }
  assert.equal(table.at(-1)?.[1], 1, "it ends at 100 %");
  assert.match(formatHgrm(result), /#\[Max += +40\.0\d+, Total count += +4\]/);
  assert.match(formatHgrm(result, "service"), /#\[Max += +0\.500\d{3}, Total count += +1\]/);
});

test("the .hgrm has values to the nanosecond", () => {
  const quick = histogramOf([0.013, 4.097]);
  const result = exampleResult((changed) => {
    changed.histograms.latency = encodeHistogram(quick.histogram, 1);
  });
  assert.match(formatHgrm(result), /^ +0\.000013 0\.000000000000 /m);
  assert.match(formatHgrm(result), /#\[Max += +0\.00409\d, Total count += +2\]/);
});

test("Markdown and CSV say whether a Result is acceptable, and which thresholds were met", () => {
  const missed = judge(
    exampleResult((result) => {
      result.label = "slow";
      result.thresholds = [
        { expression: "p99<5ms", actual: 7000, unit: "us", passed: false },
        { expression: "lost==0", actual: 0, unit: null, passed: true },
      ];
    }),
  );
  const markdown = formatMarkdown([exampleResult(), missed]);
  assert.match(markdown, /\*\*Not acceptable\*\*\n\n- slow: threshold p99<5ms was not met: it was 7\.00 ms/);
  assert.match(
    markdown,
    /- slow: p99<5ms \*\*not met\*\* \(it was 7\.00 ms\)\n- slow: lost==0 met \(it was 0\)/,
  );
  const [header = [], good = [], bad = []] = parseCsv(formatCsv([exampleResult(), missed]));
  const cells = (row: readonly string[]) =>
    ["acceptable", "thresholds", "failures"].map((name) => row[header.indexOf(name)]);
  assert.deepEqual(cells(good), ["true", "", ""]);
  assert.deepEqual(cells(bad), [
    "false",
    "p99<5ms not met; lost==0 met",
    "threshold p99<5ms was not met: it was 7.00 ms",
  ]);
});

test("the Markdown is one table whose rows have as many cells as its header, then the warnings", () => {
  const text = formatMarkdown([
    exampleResult(),
    judge(
      exampleResult((result) => {
        result.label = "a|b";
        result.messages.lost = 1;
      }),
    ),
  ]);
  const table = text.split("\n").filter((line) => line.startsWith("|"));
  const cells = table.map((line) => line.split(/(?<!\\)\|/).length);
  assert.equal(table.length, 4);
  assert.equal(new Set(cells).size, 1, `cells in each row: ${cells.join(", ")}`);
  assert.match(text, /\| a\\\|b \|/);
  assert.match(text, /\*\*Warnings\*\*\n\n- a\|b: 1 of 200,000 messages were lost/);
  assert.match(text, /- closed loop: /);
  assert.match(text, /Test CPU \(2 cores\).*commit 0123456789/);
});

test("the plots are well-formed SVG with a curve or a bar for each value, names escaped", () => {
  const result = exampleResult((changed) => {
    changed.label = "<mine> & yours";
  });
  const curves = latencySvg("Latency", [result, exampleResult()]);
  assert.equal(curves.match(/<path class="l\d"/g)?.length, 2);
  assert.match(curves, /&lt;mine&gt; &amp; yours/);
  assert.doesNotMatch(curves, /NaN|undefined|Infinity/);
  const bars = barChartSvg({
    title: "Rate",
    names: ["a", "b"],
    groups: [
      { title: "64 B", values: [10, null] },
      { title: "4 KiB", values: [1, 2] },
    ],
    format: String,
  });
  assert.equal(bars.match(/<rect class="f\d"/g)?.length, 3, "what was not measured has no bar");
  assert.doesNotMatch(bars, /NaN|undefined|Infinity/);
});

test("a Result without latency has no curve", () => {
  const nothing = exampleResult((result) => {
    const empty = encodeHistogram(histogramOf([]).histogram, 1);
    result.histograms = { latency: empty, service: empty, unsent: null };
    result.messages.received = 0;
  });
  assert.throws(() => latencySvg("Latency", [nothing]), /no latency to draw/);
});
