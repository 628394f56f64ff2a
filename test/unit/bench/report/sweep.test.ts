import assert from "node:assert/strict";
import { test } from "node:test";
import { concludeSweepChecks } from "../../../../bench/report/checks/sweep.ts";
import { formatSweepsCsv } from "../../../../bench/report/sweep/csv.ts";
import { formatSweepsMarkdown } from "../../../../bench/report/sweep/markdown.ts";
import { pageOfSweeps } from "../../../../bench/report/sweep/page.ts";
import { formatSweep } from "../../../../bench/report/sweep/text.ts";
import { sweepFigures } from "../../../../bench/result/sweep.ts";
import { plainLook } from "../../../../src/lib/terminal.ts";
import { exampleSweep } from "../../../support/sweep.ts";

test("the text has a row for each combination in the order of its levels, with medians over repeats", () => {
  const text = formatSweep(exampleSweep());
  assert.match(
    text,
    /^node server\.js \{port\} · 24 measurements of 12 combinations in a random order, a fresh process each/,
  );
  const rows = [...text.matchAll(/^ +(\d+) +(\d+ (?:B|KiB)) +(\d+) +([\d,]+) /gm)].map((row) => row.slice(1));
  assert.deepEqual(rows.slice(0, 4), [
    ["1", "64 B", "1", "1,002"],
    ["1", "64 B", "16", "16,002"],
    ["1", "4 KiB", "1", "1,002"],
    ["1", "4 KiB", "16", "16,002"],
  ]);
  assert.equal(rows.length, 12);
  assert.doesNotMatch(text, /NOT ACCEPTABLE|undefined|NaN|null/);
});

test("the text fits a narrow terminal by omitting figures, never the varied factors", () => {
  const text = formatSweep(exampleSweep(), { ...plainLook, width: 50 });
  const table = text.split("\n").filter((line) => /^ +\d+ +\d+ (B|KiB)/.test(line));
  assert.equal(table.length, 12);
  assert.deepEqual(
    text.split("\n").filter((line) => line.length > 50),
    [],
  );
});

test("CSV is long: a row for each known figure of each measurement", () => {
  const sweep = exampleSweep();
  const [header, ...rows] = formatSweepsCsv([sweep]).trimEnd().split("\r\n");
  assert.match(
    header ?? "",
    /^target,order,startedAt,connections,payloadBytes,depth,ratePerSecond,repeat,figure,unit,value/,
  );
  const unknown = sweepFigures.filter((figure) => sweep.samples[0]?.figures[figure] === null);
  assert.deepEqual(unknown, ["lag"]); // A closed loop has none.
  assert.equal(rows.length, 24 * (sweepFigures.length - 1));
  assert.match(rows.join("\n"), /,64,4096,16,,2,messagesPerSecond,1\/s,1024002,/);
});

test("HTML has small multiples: the factor with most levels across, one with a line each, and a plot for the rest", () => {
  const page = pageOfSweeps([exampleSweep()]);
  const rate = page.sections.find(({ title }) => title === "Rate");
  const plots = rate?.parts.filter((part) => part.type === "plot") ?? [];
  assert.deepEqual(
    plots.map(({ title }) => title),
    ["1 in flight", "16 in flight"],
  );
  const [first] = plots;
  assert.deepEqual(
    [first?.x.label, first?.x.isLogarithmic, first?.y.atLeast, first?.lines.map(({ label }) => label)],
    ["Connections", true, 1_024_001.5, ["64 B", "4 KiB"]],
  );
  assert.deepEqual(first?.lines[0]?.x, [1, 8, 64]);
  assert.deepEqual(first?.lines[0]?.y, [1001.5, 8001.5, 64_001.5]);
});

test("measurements that must not be used, or are missing, make it not acceptable, and are checks in CI", () => {
  const failing = exampleSweep((result, { connections }) => {
    if (connections === 8) {
      result.failures = ["3 messages were lost"];
    }
  }, 2);
  assert.match(formatSweep(failing), /^NOT ACCEPTABLE: c8-s\d+-d\d+-1\.json: 3 messages were lost/m);
  assert.match(
    failing.failures.at(-1) ?? "",
    /^2 of 24 measurements were not made: start it again to go on$/,
  );
  assert.match(formatSweepsMarkdown([failing]), /\*\*Not acceptable\*\*/);
  const { checks } = concludeSweepChecks("sweep", failing);
  assert.equal(checks[0]?.problem, "2 of 24 measurements are missing");
  assert.equal(checks.length, 23);
  assert.ok(checks.some(({ name, problem }) => name.startsWith("c8-") && problem === "3 messages were lost"));
  const [subject] = pageOfSweeps([failing]).subjects;
  assert.equal(subject?.badge?.text, "incomplete");
});

test("a generator that was the bottleneck, and different machines, are warnings", () => {
  const { warnings } = exampleSweep((result, { depth }) => {
    if (depth === 16) {
      result.verdict = "client-bound";
      result.environment.cores = 64;
    }
  });
  assert.match(warnings[0] ?? "", /^In 12 of 24 measurements the generator was the bottleneck/);
  assert.match(warnings.at(-1) ?? "", /different machines/);
});
